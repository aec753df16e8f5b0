import { describeHub } from './src/describe-hub.ts';

describeHub('npm start', { script: 'start', environment: async () => ({}) });
