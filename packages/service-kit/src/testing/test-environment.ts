import type { Environment } from '../config/load-config.ts';
import { testSecrets } from './test-credentials.ts';

/** Variables for `startService` in a test: a free port, quiet, loopback allowed, secrets that `test-credentials` knows. */
export function testEnvironment(more: Environment = {}): Environment {
  return {
    PORT: '0',
    HOST: '127.0.0.1',
    LOG_LEVEL: 'silent',
    EGRESS_ALLOW: '127.0.0.0/8',
    INTERNAL_TOKEN_SECRET: testSecrets.internalTokenSecret,
    ADMIN_KEY: testSecrets.adminKey,
    KEY_ENCRYPTION_KEY: testSecrets.keyEncryptionKey,
    ...more,
  };
}
