import { describe, expect, it } from '@jest/globals';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SandboxState } from './sandbox-state.ts';

describe('the sandbox\'s journal', () => {
  it('brings accounts and what was sent back after a kill, also when its last line was cut short', () => {
    const folder = mkdtempSync(join(tmpdir(), 'switchboard-sandbox-'));
    const journal = join(folder, 'sandbox.jsonl');
    const before = new SandboxState(journal);
    before.put('genesysAccount', 'client', { clientId: 'client', clientSecret: 'old', region: 'mypurecloud.de' });
    before.put('genesysAccount', 'client', { clientId: 'client', clientSecret: 'new', region: 'mypurecloud.de' });
    for (const id of ['1', '2']) before.push('metaReceived', '700', { at: '', path: '/messages', token: 't', body: {}, id });
    before.put('genesysAccount', 'removed', { clientId: 'removed', clientSecret: 's', region: 'mypurecloud.de' });
    before.remove('genesysAccount', 'removed');
    appendFileSync(journal, '{"table":"metaReceived","key":"700","va');

    const after = new SandboxState(journal);
    expect(after.get('genesysAccount', 'client')?.clientSecret).toBe('new');
    expect(after.get('genesysAccount', 'removed')).toBeUndefined();
    expect(after.list('metaReceived', '700').map(({ id }) => id)).toEqual(['1', '2']);
    rmSync(folder, { recursive: true });
  });

  it('keeps rows in their groups and in their order, whatever stands in their ids', () => {
    const folder = mkdtempSync(join(tmpdir(), 'switchboard-sandbox-'));
    const journal = join(folder, 'sandbox.jsonl');
    const before = new SandboxState(journal);
    const question = (id: string, version: number) => ({ id, data: { version } });
    for (const [bot, id, version] of [['a', '10', 1], ['a', '2', 1], ['b', '2', 1], ['a', '10', 2], ['a/2', 'x', 1]] as const) before.put('v12Question', `${bot}|${id}`, question(id, version));
    before.remove('v12Question', 'b|2');

    const after = new SandboxState(journal);
    expect(after.inGroup('v12Question', 'a')).toEqual([question('10', 2), question('2', 1)]);
    expect([after.inGroup('v12Question', 'b'), after.get('v12Question', 'b|2'), after.inGroup('v12Question', 'c')]).toEqual([[], undefined, []]);
    expect(after.all('v12Question')).toHaveLength(3);
    rmSync(folder, { recursive: true });
  });
});
