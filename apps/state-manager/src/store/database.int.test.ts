import { describeDatabaseOfService } from '@switchboard/db/testing';

describeDatabaseOfService({ service: 'state', schema: 'state', prismaDirectory: new URL('../../prisma/', import.meta.url) });
