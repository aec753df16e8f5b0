/** What tests of a service need: variables, tokens, a kit of stand-ins, and the suite that every route gets. Not for production code. */
export { adminHeaders, internalToken, internalTokenHeaders, keyHeaders, memberHeaders, platformHeaders, testKeyId, testSecrets } from './test-credentials.ts';
export { testEnvironment } from './test-environment.ts';
export { testKit, type RecordedCall, type TestKit, type TestKitOptions } from './test-kit.ts';
export { describeRoute, type RouteSuite } from './describe-route.ts';
export { startSandbox, type SandboxProcess } from './start-sandbox.ts';
