import { describeHub } from './src/describe-hub.ts';

describeHub('npm start', { script: 'start', environment: async () => ({ CHATWOOT_MOVE_QUIET_SECONDS: '3', TWILIO_TRANSCRIPT_WAIT_SECONDS: '3' }) });
