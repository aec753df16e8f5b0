import { startStandalone } from '../apps/standalone/src/start-standalone.ts';

await startStandalone();
