import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDnsServer, type DnsServer } from '../../test/dns-server.ts';
import { createHostResolver, type ResolveHost } from './resolve-host.ts';
import { createSystemNames } from './system-names.ts';

let directory: string;
let dns: DnsServer;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'resolve-host-'));
  dns = await startDnsServer({ 'graph.example': ['93.184.215.14'], 'both.example': ['93.184.215.15', '10.0.0.1'], 'minio.storage.svc.cluster.local': ['10.1.2.3'], 'sandbox.hub.svc.cluster.local': ['10.1.2.4'], 'sandbox': ['93.184.215.16'] });
});
afterEach(async () => {
  await dns.close();
  rmSync(directory, { recursive: true });
});

function resolverWith(files: { readonly hosts?: string; readonly resolv?: string } = {}): ResolveHost {
  const paths = { hosts: join(directory, 'hosts'), resolv: join(directory, 'resolv.conf') };
  writeFileSync(paths.hosts, files.hosts ?? '');
  writeFileSync(paths.resolv, files.resolv ?? '');
  return createHostResolver({ servers: [dns.address], systemNames: createSystemNames(paths) });
}

const addressesOf = async (answer: ReturnType<ResolveHost>) => (await answer).map(({ address }) => address);

describe('a name server that never answers', () => {
  it('holds up no look-up of another name, however many wait for it, and each of those ends within 4 s', async () => {
    const resolve = resolverWith();
    const started = performance.now();
    // As many as fit into the test server's socket at once: what the kernel drops there would say nothing about us.
    const hanging = Promise.allSettled(Array.from({ length: 100 }, (_, index) => resolve(`tenant-${index}.silent`)));
    for (const until = performance.now() + 500; dns.questions.length < 200 && performance.now() < until; ) await new Promise((done) => setTimeout(done, 10));
    const asked = performance.now();
    expect(await addressesOf(resolve('graph.example'))).toEqual(['93.184.215.14']);
    expect(performance.now() - asked).toBeLessThan(1_000);
    const outcomes = await hanging;
    expect(performance.now() - started).toBeLessThan(4_500);
    expect(new Set(outcomes.map((outcome) => outcome.status === 'rejected' && (outcome.reason as NodeJS.ErrnoException).code))).toEqual(new Set(['ETIMEOUT']));
  }, 15_000);

  it('is asked once for all who ask for one name at a time, and not again at once', async () => {
    const resolve = resolverWith();
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => resolve('api.silent')));
    expect(outcomes.every((outcome) => outcome.status === 'rejected')).toBe(true);
    const asked = dns.questions.length;
    // One question for each family, each said twice.
    expect(asked).toBeLessThanOrEqual(4);
    await expect(resolve('api.silent')).rejects.toMatchObject({ code: 'ETIMEOUT' });
    expect(dns.questions.length).toBe(asked);
  }, 15_000);
});

describe('a name', () => {
  it('has all its addresses', async () => {
    expect(await addressesOf(resolverWith()('both.example'))).toEqual(['93.184.215.15', '10.0.0.1']);
  });

  it('that nobody has is ENOTFOUND, for whoever asks in the next two seconds too', async () => {
    const resolve = resolverWith();
    for (let i = 0; i < 3; i++) await expect(resolve('nowhere.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    expect(dns.questions.toSorted()).toEqual(['A nowhere.example', 'AAAA nowhere.example']);
  });

  it("of the system's hosts file is never asked for, nor is localhost", async () => {
    const resolve = resolverWith({ hosts: '# ours\n10.9.8.7 Graph.example minio # the store\n::1 minio\n' });
    expect(await addressesOf(resolve('graph.example'))).toEqual(['10.9.8.7']);
    expect(await addressesOf(resolve('minio'))).toEqual(['10.9.8.7', '::1']);
    expect(await addressesOf(resolve('localhost'))).toEqual(['127.0.0.1', '::1']);
    expect(await addressesOf(resolve('hub.localhost'))).toEqual(['127.0.0.1', '::1']);
    expect(dns.questions).toEqual([]);
  });

  it("is completed with the system's search domains when it is short; a name with a dot is asked for as it stands first", async () => {
    const resolve = resolverWith({ resolv: 'nameserver 10.0.0.1\nsearch hub.svc.cluster.local svc.cluster.local\noptions edns0 ndots:5\n' });
    expect(await addressesOf(resolve('sandbox'))).toEqual(['10.1.2.4']);
    expect(await addressesOf(resolve('minio.storage'))).toEqual(['10.1.2.3']);
    dns.questions.length = 0;
    expect(await addressesOf(resolve('graph.example'))).toEqual(['93.184.215.14']);
    expect(dns.questions.toSorted()).toEqual(['A graph.example', 'AAAA graph.example']);
  });

  it('is asked for as it stands where nothing completes it', async () => {
    expect(await addressesOf(resolverWith({ resolv: 'search a.example' })('graph.example'))).toEqual(['93.184.215.14']);
    expect(await addressesOf(resolverWith()('sandbox'))).toEqual(['93.184.215.16']);
  });
});
