import { fixtureService } from '../../test/fixture/fixture-service.ts';
import { describeDatabaseOfService } from './describe-database-of-service.ts';

describeDatabaseOfService(fixtureService);
