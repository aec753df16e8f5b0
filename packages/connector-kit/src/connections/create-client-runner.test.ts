import { describe, expect, it } from '@jest/globals';
import { hubError, newId, tenantIdSchema, type ConnectionWithSecrets } from '@switchboard/contracts';
import type { Egress } from '@switchboard/service-kit';
import { runAsTenant } from '@switchboard/tenant-context';
import { createFileRoom } from '../media/create-file-room.ts';
import { mediaBytesMax } from '../media/load-with-room.ts';
import { createClientRunner } from './create-client-runner.ts';

const acme = tenantIdSchema.parse('acme');
const connection: ConnectionWithSecrets = {
  tenantId: acme, connectionId: newId('con'), provider: 'whatsapp', role: 'channel', status: 'active', version: 1, routingIdentifiers: {}, settings: {}, credentials: { accessToken: 'EAAG-secret' },
};

/** A runner whose files come from `request`, with room for one file. */
function runnerWith(request: Egress['request']) {
  const fileRoom = createFileRoom({ bytesMax: mediaBytesMax, tenantBytesMax: mediaBytesMax, waitMaxMs: 5 });
  const run = createClientRunner({
    egress: { request, assertAllowed: async () => {}, isPlatformHost: () => false },
    connections: { loadToken: async () => Promise.reject(hubError('provider.unauthorized', { publicMessage: 'The client is disabled.' })) },
    mediaStore: { eraseAll: async () => 0, store: async () => '', load: async () => Promise.reject(hubError('media.not_found')) },
    mediaLinks: { urlOf: () => '', read: () => undefined },
    fileRoom,
    now: () => new Date(),
  });
  return { run, fileRoom };
}

const answer = (status: number): Egress['request'] => async () => ({ status, headers: {}, body: Buffer.from('file') });
const failing =
  (error: Error): Egress['request'] =>
  async () => {
    throw error;
  };
const media = { url: 'https://files.example.test/a.pdf' };

describe('a call of a client', () => {
  it.each([
    ['breaks off', failing(hubError('egress.failed', { detail: { sent: true } })), 'egress.failed'],
    ['sends too much', failing(hubError('media.too_large', { detail: { sent: true } })), 'media.too_large'],
    ['answers 503', answer(503), 'media.unavailable'],
  ] as const)('has not sent the message when the host of its file %s', async (_, request, code) => {
    const { run } = runnerWith(request);
    await expect(runAsTenant(acme, () => run(connection, ({ loadMedia }) => loadMedia(media)))).rejects.toMatchObject({ code, detail: { sent: false } });
  });

  it('counts its files as in memory until it ends', async () => {
    const { run, fileRoom } = runnerWith(answer(200));
    await runAsTenant(acme, async () => {
      await run(connection, async ({ loadMedia }) => {
        await loadMedia(media);
        await expect(fileRoom.take(mediaBytesMax)).rejects.toMatchObject({ code: 'storage.unavailable' });
      });
      (await fileRoom.take(mediaBytesMax))();
    });
  });

  it('shows no secret that the provider quotes', async () => {
    const { run } = runnerWith(answer(200));
    const quoting = hubError('provider.rejected', { publicMessage: 'Bad token EAAG-secret.', detail: { url: 'https://x/?access_token=EAAG-secret', providerCode: '190', httpStatus: 400 } });
    const failure: unknown = await run(connection, () => Promise.reject(quoting)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'provider.rejected', publicMessage: 'Bad token ….', message: 'Bad token ….', detail: { url: 'https://x/?access_token=…', httpStatus: 400 } });
    expect((failure as Error).cause).toBeUndefined();
  });

  it('is refused as an account when there is no token for it', async () => {
    const { run } = runnerWith(answer(200));
    await expect(run(connection, ({ accessToken }) => accessToken())).rejects.toMatchObject({ code: 'provider.unauthorized', detail: { scope: 'account' } });
  });
});
