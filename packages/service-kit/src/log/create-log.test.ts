import { describe, expect, it } from '@jest/globals';
import { hubError, tenantIdSchema } from '@switchboard/contracts';
import { runAsTenant, runWithTrace } from '@switchboard/tenant-context';
import fc from 'fast-check';
import { createLog } from './create-log.ts';

function logged(write: (log: ReturnType<typeof createLog>) => void): { text: string; lines: Record<string, unknown>[] } {
  const written: string[] = [];
  write(createLog({ service: 'state-manager', level: 'trace', destination: { write: (line) => void written.push(line) } }));
  return { text: written.join(''), lines: written.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('a log line', () => {
  it('says service, tenant, request and trace without being told', () => {
    const { lines } = logged((log) => {
      runWithTrace({ requestId: 'req_1', traceparent: '00-a-b-01' }, () => runAsTenant(tenantIdSchema.parse('acme'), () => log.info({ count: 1 }, 'counted')));
      log.warn('outside');
    });
    expect(lines[0]).toMatchObject({ level: 'info', service: 'state-manager', tenant: 'acme', requestId: 'req_1', traceparent: '00-a-b-01', count: 1, msg: 'counted' });
    expect(lines[1]).toMatchObject({ level: 'warn', msg: 'outside' });
    expect(lines[1]).not.toHaveProperty('tenant');
  });

  it.each(['authorization', 'x-api-key', 'X-API-Key', 'accessToken', 'access_token', 'appSecret', 'clientSecret', 'verifyToken', 'webhookSecret', 'password', 'DATABASE_URL', 'x-switchboard-internal', 'cookie', 'credentials', 'adminKey'])(
    'never shows the value of %s, however deep',
    (name) => {
      const secret = 'hunter2-hunter2';
      const { text } = logged((log) => {
        log.info({ [name]: secret }, 'x');
        log.info({ a: { b: [{ [name]: { value: secret } }] } }, 'x');
        log.error({ err: hubError('internal', { detail: { headers: { [name]: secret } }, cause: Object.assign(new Error('inner'), { detail: { [name]: secret } }) }) }, 'x');
        log.child({}).info({ [name]: [secret] }, 'x');
      });
      expect(text).not.toContain(secret);
      expect(text).toContain('[redacted]');
    },
  );

  it('never shows credentials that stand in a sentence', () => {
    const key = `sk_${'a'.repeat(75)}`;
    const { text } = logged((log) => {
      log.info(`got ${key}`);
      log.info({ note: `Bearer abcdefghijkl and postgres://user:hunter2@host/db` }, `Authorization: Bearer abcdefghijkl`);
      log.error({ err: new Error(`connect postgres://user:hunter2@host/db failed`) }, 'x');
    });
    for (const secret of [key, 'abcdefghijkl', 'hunter2']) expect(text).not.toContain(secret);
  });

  it('shows an error with its code, its cause and where it happened', () => {
    const { lines } = logged((log) => log.error({ err: hubError('storage.unavailable', { detail: { table: 'x' }, cause: new Error('refused') }) }, 'failed'));
    expect(lines[0]).toMatchObject({ err: { type: 'HubError', code: 'storage.unavailable', detail: { table: 'x' }, cause: { message: 'refused' } } });
    expect((lines[0]!['err'] as { stack: string }).stack).toContain('create-log.test.ts');
  });

  it('is written for any value', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true }), (value) => {
        const { lines } = logged((log) => log.info({ value }, 'x'));
        return lines.length === 1;
      }),
    );
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(logged((log) => log.info({ circle }, 'x')).lines).toHaveLength(1);
  });
});
