import { describeDatabaseOfService } from '@switchboard/db/testing';

const schema = { service: 'auth-service', schema: 'auth', prismaDirectory: new URL('../../prisma/', import.meta.url) };

describeDatabaseOfService(schema, {
  systemTables: {
    sessions: 'those that have ended are swept over all tenants',
    one_time_tokens: 'so are tokens that nobody used in time',
    sso_logins: 'and log-ins that never came back from the identity provider',
  },
});
