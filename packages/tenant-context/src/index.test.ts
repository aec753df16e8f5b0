import { describe, expect, it } from '@jest/globals';
import { tenantIdSchema } from '@switchboard/contracts';
import { setTimeout as sleep } from 'node:timers/promises';
import { currentScope, currentTenant, currentTrace, peekScope, runAsSystem, runAsTenant, runWithTrace } from './index.ts';

const acme = tenantIdSchema.parse('acme');
const globex = tenantIdSchema.parse('globex');
const missing = expect.objectContaining({ code: 'tenant.context_missing' });

describe('the tenant of the work', () => {
  it('is missing, loudly, where nobody said it', () => {
    expect(() => currentTenant()).toThrow(missing);
    expect(() => currentScope()).toThrow(missing);
    expect(peekScope()).toBeUndefined();
  });

  it('follows everything that the work starts, and ends with it', async () => {
    const seen = await runAsTenant(acme, async () => {
      await sleep(1);
      const [later, timer] = await Promise.all([
        (async () => {
          await sleep(1);
          return currentTenant();
        })(),
        new Promise((resolve) => setTimeout(() => resolve(currentTenant()), 1)),
      ]);
      return [later, timer];
    });
    expect(seen).toEqual([acme, acme]);
    expect(() => currentTenant()).toThrow(missing);
  });

  it('does not leak between works that run at the same time', async () => {
    const work = (tenantId: typeof acme) =>
      runAsTenant(tenantId, async () => {
        for (let i = 0; i < 20; i++) {
          await sleep(Math.random());
          if (currentTenant() !== tenantId) return 'leaked';
        }
        return 'kept';
      });
    expect(await Promise.all(Array.from({ length: 20 }, (_, i) => work(i % 2 === 0 ? acme : globex)))).toEqual(Array.from({ length: 20 }, () => 'kept'));
  });

  it('is none in system scope, even inside of a tenant, and is back afterwards', () => {
    runAsTenant(acme, () => {
      runAsSystem('a test', () => {
        expect(() => currentTenant()).toThrow(missing);
        expect(currentScope()).toEqual({ kind: 'system', reason: 'a test' });
      });
      expect(currentTenant()).toBe(acme);
    });
  });
});

describe('the trace of the work', () => {
  it('follows it beside the tenant', async () => {
    await runWithTrace({ requestId: 'req_1' }, () =>
      runAsTenant(acme, async () => {
        await sleep(1);
        expect(currentTrace()).toEqual({ requestId: 'req_1' });
      }),
    );
    expect(currentTrace()).toBeUndefined();
  });
});
