import { fixtureService } from '../../test/fixture/fixture-service.ts';
import { describeDatabaseOfService } from './describe-database-of-service.ts';

describeDatabaseOfService(fixtureService, { systemTables: { notes: 'the fixture has one open table and one closed' } });
