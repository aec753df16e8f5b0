import { startTestDatabase, testRolePassword, testTenants } from '@switchboard/testing';
import { countPendingLanes, cutConnections, installTestBus, testService } from '../testing/bus-under-test.ts';
import { describeBus } from '../testing/describe-bus.ts';

describeBus(
  'embedded',
  async () => {
    const database = await startTestDatabase();
    const { busRole, runtimeRole } = await installTestBus({ adminUrl: database.adminUrl, driver: 'embedded', password: testRolePassword });
    return {
      adminUrl: database.adminUrl,
      place: { driver: 'embedded', service: testService, busUrl: database.url(busRole), databaseUrl: database.url(runtimeRole) },
      restartBroker: () => cutConnections(database.adminUrl),
      worksSideBySide: false,
      countUncommitted: (group) => countPendingLanes(database.adminUrl, group),
      close: () => database.drop(),
    };
  },
  testTenants,
);
