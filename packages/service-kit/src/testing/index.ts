/** What tests of a service need: tokens, a kit of stand-ins, and the suite that every route gets. Not for production code. */
export { adminHeaders, internalToken, internalTokenHeaders, keyHeaders, testSecrets } from './test-credentials.ts';
