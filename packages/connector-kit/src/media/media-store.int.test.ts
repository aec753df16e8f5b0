import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tenantIdSchema } from '@switchboard/contracts';
import { runAsTenant } from '@switchboard/tenant-context';
import { testTenants } from '@switchboard/testing';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMediaStore, mediaConfig } from './create-media-store.ts';
import type { MediaStore } from './media-store.ts';

const [acme, globex] = testTenants;
const secrets = { mediaUrlSecret: 's'.repeat(32) };

function describeMediaStore(name: string, storeOf: () => MediaStore): void {
  describe(name, () => {
    const bytes = Buffer.from([0, 1, 2, 255, 13, 10]);
    const key = createHash('sha256').update(bytes).digest('hex');

    it('gives back the same bytes under the hash of the content', async () => {
      await runAsTenant(acme, async () => {
        expect(await storeOf().store(bytes)).toBe(key);
        expect(await storeOf().store(bytes)).toBe(key);
        expect((await storeOf().load(key)).equals(bytes)).toBe(true);
      });
    });

    it('shows another tenant\'s file as a missing one', async () => {
      await expect(runAsTenant(globex, () => storeOf().load(key))).rejects.toMatchObject({ code: 'media.not_found' });
      await expect(runAsTenant(acme, () => storeOf().load('0'.repeat(64)))).rejects.toMatchObject({ code: 'media.not_found' });
    });

    it('takes no key for a path', async () => {
      await expect(runAsTenant(globex, () => storeOf().load(`../acme/${key}`))).rejects.toMatchObject({ code: 'media.not_found' });
    });

    it('works for nobody outside a tenant', async () => {
      await expect((async () => storeOf().store(bytes))()).rejects.toMatchObject({ code: 'tenant.context_missing' });
    });

    it('deletes all files of one tenant and none of another, whose name may begin alike', async () => {
      const alike = tenantIdSchema.parse(`${acme}-2`);
      const theirs = await runAsTenant(alike, () => storeOf().store(bytes));
      await runAsTenant(acme, async () => {
        await storeOf().store(bytes);
        expect(await storeOf().eraseAll()).toBeGreaterThan(0);
        await expect(storeOf().load(key)).rejects.toMatchObject({ code: 'media.not_found' });
        expect(await storeOf().eraseAll()).toBe(0);
      });
      expect((await runAsTenant(alike, () => storeOf().load(theirs))).equals(bytes)).toBe(true);
    });

    it('takes the same file from many at once', async () => {
      const large = Buffer.alloc(300_000, 7);
      const keys = await runAsTenant(acme, () => Promise.all(Array.from({ length: 8 }, () => storeOf().store(large))));
      expect(new Set(keys).size).toBe(1);
      expect((await runAsTenant(acme, () => storeOf().load(keys[0] ?? ''))).equals(large)).toBe(true);
    });
  });
}

describe('a local directory', () => {
  let directory: string;
  let store: MediaStore;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'switchboard-media-'));
    store = createMediaStore(mediaConfig.parse({ ...secrets, mediaDir: join(directory, 'media') }));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  describeMediaStore('as a media store', () => store);

  it('holds whole files alone, for the service\'s user alone', async () => {
    const names = (await readdir(directory, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    for (const entry of names) {
      expect(entry.name).toMatch(/^[0-9a-f]{64}$/);
      expect((await stat(join(entry.parentPath, entry.name))).mode & 0o077).toBe(0);
    }
    expect(names.length).toBeGreaterThan(0);
  });
});

describe('an S3-compatible store', () => {
  const objects = new Map<string, Buffer>();
  let server: Server;
  let store: MediaStore;

  // Path-style PUT and GET, listing, deleting many; signed requests, S3's own words for a missing key.
  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer); // an http request yields buffers
      const { pathname: name, searchParams } = new URL(request.url ?? '', 'http://s3');
      if (!request.headers.authorization?.startsWith('AWS4-HMAC-SHA256 Credential=access-key/')) return void response.writeHead(403).end();
      if (request.method === 'PUT') {
        objects.set(name, Buffer.concat(chunks));
        return void response.writeHead(200, { etag: '"1"' }).end();
      }
      if (searchParams.get('list-type') === '2') {
        const found = [...objects.keys()].map((path) => path.slice('/media/'.length)).filter((path) => path.startsWith(searchParams.get('prefix') ?? ''));
        return void response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?><ListBucketResult>${found.map((path) => `<Contents><Key>${path}</Key></Contents>`).join('')}</ListBucketResult>`);
      }
      if (request.method === 'POST' && searchParams.has('delete')) {
        for (const [, path] of Buffer.concat(chunks).toString().matchAll(/<Key>([^<]+)<\/Key>/g)) objects.delete(`/media/${path}`);
        return void response.writeHead(200, { 'content-type': 'application/xml' }).end('<?xml version="1.0"?><DeleteResult></DeleteResult>');
      }
      const object = objects.get(name);
      if (object !== undefined) return void response.writeHead(200, { 'content-length': object.length }).end(object);
      response.writeHead(404, { 'content-type': 'application/xml' }).end('<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>missing</Message></Error>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo; // it listens on TCP
    store = createMediaStore(
      mediaConfig.parse({ ...secrets, mediaS3Bucket: 'media', mediaS3Prefix: 'hub/', mediaS3Endpoint: `http://127.0.0.1:${port}`, mediaS3AccessKeyId: 'access-key', mediaS3SecretAccessKey: 'secret-key' }),
    );
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  describeMediaStore('as a media store', () => store);

  it('names objects by prefix, tenant and key', () => {
    expect([...objects.keys()].every((name) => /^\/media\/hub\/acme(-2)?\/[0-9a-f]{64}$/.test(name))).toBe(true);
  });

  it('says that storage is away when it refuses', async () => {
    const refused = createMediaStore(mediaConfig.parse({ ...secrets, mediaS3Bucket: 'media', mediaS3Endpoint: 'http://127.0.0.1:1', mediaS3AccessKeyId: 'a', mediaS3SecretAccessKey: 'b' }));
    await expect(runAsTenant(acme, () => refused.store(Buffer.from('x')))).rejects.toMatchObject({ code: 'storage.unavailable' });
  });
});
