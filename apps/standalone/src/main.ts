import { startStandalone } from './start-standalone.ts';

await startStandalone();
