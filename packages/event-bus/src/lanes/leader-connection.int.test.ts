import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { openSilentNetwork, startTestDatabase, type SilentNetwork, type TestDatabase } from '@switchboard/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLeaderConnection, type LeaderConnection } from './leader-connection.ts';

let database: TestDatabase;
let network: SilentNetwork;
const opened: LeaderConnection[] = [];

beforeAll(async () => {
  database = await startTestDatabase();
  network = await openSilentNetwork(database.adminUrl);
}, 60_000);
afterEach(async () => {
  await Promise.all(opened.splice(0).map((connection) => connection.close()));
});
afterAll(async () => {
  network.close();
  await database.drop();
});

function open(busUrl: string): { connection: LeaderConnection; happened: string[] } {
  const happened: string[] = [];
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const connection = openLeaderConnection({ busUrl, name: 'test', channels: ['test_pending'], onNotification: (_, payload) => happened.push(payload), onLead: () => happened.push('leads'), onLost: () => happened.push('lost'), log });
  opened.push(connection);
  return { connection, happened };
}

describe('openLeaderConnection', () => {
  it('notices within ten seconds that the database has vanished without a word, says so, and leads again when it is back', async () => {
    const { connection, happened } = open(network.url);
    await connection.open();
    expect(happened).toEqual(['leads']);
    // Longer than the pause between two questions: silence is no loss.
    await sleep(6_000);
    expect(connection.connected).toBe(true);
    network.swallow = true;
    const since = Date.now();
    while (connection.connected && Date.now() - since < 12_000) await sleep(50);
    expect(connection.connected).toBe(false);
    expect(happened).toEqual(['leads', 'lost']);
    network.swallow = false;
    // The server still holds the lock of the connection that vanished; it is freed when its end is heard of.
    network.close();
    network = await openSilentNetwork(database.adminUrl);
    const second = open(network.url);
    await second.connection.open();
    const freed = Date.now();
    while (!second.connection.leading && Date.now() - freed < 5_000) await sleep(50);
    expect(second.connection.leading).toBe(true);
  }, 60_000);

  it('lets one process lead, and the next one when that goes', async () => {
    const first = open(database.adminUrl);
    await first.connection.open();
    const second = open(database.adminUrl);
    await second.connection.open();
    await sleep(600);
    expect([first.connection.leading, second.connection.leading]).toEqual([true, false]);
    await first.connection.close();
    await sleep(600);
    expect(second.happened).toEqual(['leads']);
  }, 30_000);
});
