import { describe, expect, it } from '@jest/globals';
import { isHubError, type ConnectionRecord } from '@switchboard/contracts';
import { runAsTenant } from '@switchboard/tenant-context';
import { codeOf, connect, metaForm, recheckAfter, show, useAccountWorld, webhooksOf } from '../testing/account-world.ts';

const world = useAccountWorld();

describe('connecting WhatsApp', () => {
  it('is active at once when Meta knows the number by the token, and subscribes the app to the WABA', async () => {
    const form = metaForm(world, { wabaId: '900' });
    const connection = await connect(world, world.acme, form);
    expect(connection).toMatchObject({
      type: 'meta',
      provider: 'whatsapp',
      role: 'channel',
      status: 'active',
      statusReason: null,
      routingIdentifiers: { phoneNumberId: form.credentials.phoneNumberId, wabaId: '900' },
      webhookUrl: `https://hub.example.net/webhooks/whatsapp/${connection.id}`,
      sharedWebhookUrl: 'https://hub.example.net/webhooks/whatsapp',
      settings: { displayPhoneNumber: '+1 555 0100', apiVersion: 'v25.0' },
    });
    expect(JSON.stringify(connection)).not.toMatch(/meta-(app-secret|verify-token|access-token)/);
    expect(world.meta.calls.map((call) => `${call.method} ${call.path}`)).toContain('POST /v25.0/900/subscribed_apps');
    expect(world.kit.published.filter((event) => event.type === 'connection.changed').map((event) => [event.orderingKey, event.payload])).toEqual([
      [connection.id, expect.objectContaining({ status: 'pending', version: 1 })],
      [connection.id, expect.objectContaining({ status: 'active', version: 2 })],
    ]);
  });

  it('keeps what cannot be verified as pending, says why in the tenant\'s terms, and asks no more with a token that was refused', async () => {
    const connection = await connect(world, world.acme, metaForm(world, { accessToken: 'expired-token' }));
    expect(connection).toMatchObject({ status: 'pending', statusReason: expect.stringContaining('Meta refuses the access token') });
    world.meta.calls.length = 0;
    await recheckAfter(world, 60);
    expect(world.meta.calls).toEqual([]);
  });

  it('activates by itself once the provider answers again, with ever longer pauses in between', async () => {
    world.meta.down = true;
    const connection = await connect(world, world.acme, metaForm(world));
    expect(connection).toMatchObject({ status: 'pending', statusReason: expect.stringContaining('problem of its own') });
    await recheckAfter(world, 1);
    await recheckAfter(world, 1);
    expect(world.meta.calls).toHaveLength(2);
    world.meta.down = false;
    await recheckAfter(world, 1);
    expect(await show(world, world.acme, connection.id)).toMatchObject({ status: 'active', draft: undefined });
  });

  it('goes on with a check that a crash cut off', async () => {
    await expect(connect(world, world.acme, metaForm(world), () => Promise.reject(new Error('killed')))).rejects.toThrow('killed');
    await recheckAfter(world, 3);
    const [connection] = await runAsTenant(world.acme, () => world.deps.connections.list());
    expect(connection).toMatchObject({ status: 'active' });
  });

  it('refuses a number that works for another tenant, and stores nothing', async () => {
    const form = metaForm(world);
    await connect(world, world.acme, form);
    expect(await codeOf(connect(world, world.globex, form))).toBe('connection.identifier_taken');
    expect(await runAsTenant(world.globex, () => world.deps.connections.list())).toEqual([]);
  });

  it('lets two tenants post the same number at once: one gets it, the other waits and is told', async () => {
    const form = metaForm(world);
    const outcomes = await Promise.all([world.acme, world.globex].map((tenant) => connect(world, tenant, form).then(({ status }) => status, (error: unknown) => (isHubError(error) ? error.code : String(error)))));
    expect(outcomes.filter((outcome) => outcome === 'active')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'pending' || outcome === 'connection.identifier_taken')).toHaveLength(1);
  });

  it('lets a number that is only pending elsewhere be connected by who has the right token', async () => {
    const form = metaForm(world);
    expect(await connect(world, world.globex, { ...form, credentials: { ...form.credentials, accessToken: 'guessed' } })).toMatchObject({ status: 'pending' });
    expect(await connect(world, world.acme, form)).toMatchObject({ status: 'active' });
  });

  describe('of a number that another tenant has', () => {
    type Request = NonNullable<Parameters<typeof connect>[3]>;
    /** Every address is answered by the fake Meta: a tenant's own server that says yes to everything, and Meta itself. */
    const byMeta: Request = (real, call) => real.request({ ...call, url: `${world.meta.url}${new URL(call.url).pathname}${new URL(call.url).search}` });
    const at = (form: ReturnType<typeof metaForm>, apiBaseUrl: string | undefined) => ({ ...form, credentials: { ...form.credentials, apiBaseUrl } });

    it("confirmed only by that tenant's own server takes it over when Meta confirms it, and tells the other why", async () => {
      const form = metaForm(world);
      const weak = await connect(world, world.globex, at(form, 'https://yes.globex.example'), byMeta);
      expect(weak.status).toBe('active');
      expect((await connect(world, world.acme, at(form, undefined), byMeta)).status).toBe('active');
      const lost = await show(world, world.globex, weak.id);
      expect(lost).toMatchObject({ status: 'pending', sealedCredentials: null, draft: { reason: expect.stringContaining('Somebody else'), nextCheckAt: null } });
      expect(world.kit.published.filter((event) => event.orderingKey === weak.id).at(-1)).toMatchObject({ tenantId: world.globex, payload: { status: 'pending', version: lost?.version } });
      // And it stays so, whatever the other one's server says.
      expect(await codeOf(connect(world, world.globex, at(form, 'https://yes.globex.example'), byMeta))).toBe('connection.identifier_taken');
      await recheckAfter(world, 24 * 60);
      expect((await show(world, world.globex, weak.id))?.status).toBe('pending');
    });

    it('confirmed by a host that the platform allowed yields to Meta alone, and takes over from a host of the tenant', async () => {
      const form = metaForm(world);
      const [own, allowed] = ['https://yes.globex.example', world.meta.url];
      const first = await connect(world, world.globex, at(form, own), byMeta);
      const second = await connect(world, world.acme, at(form, allowed), byMeta);
      expect([second.status, (await show(world, world.globex, first.id))?.status]).toEqual(['active', 'pending']);
      for (const host of [own, allowed]) expect(await codeOf(connect(world, world.globex, at(form, host), byMeta))).toBe('connection.identifier_taken');
      expect((await connect(world, world.globex, at(form, undefined), byMeta)).status).toBe('active');
      expect((await show(world, world.acme, second.id))?.status).toBe('pending');
    });

    it('confirmed by Meta once is not lost by going through a server of its own later', async () => {
      const form = metaForm(world);
      await connect(world, world.globex, at(form, 'https://proxy.globex.example'), byMeta);
      await connect(world, world.globex, at(form, undefined), byMeta);
      expect((await connect(world, world.globex, at(form, 'https://proxy.globex.example'), byMeta)).status).toBe('active');
      expect(await codeOf(connect(world, world.acme, at(form, undefined), byMeta))).toBe('connection.identifier_taken');
    });

    it('is not taken over by credentials that Meta refuses', async () => {
      const form = metaForm(world);
      const weak = await connect(world, world.globex, at(form, 'https://yes.globex.example'), byMeta);
      const guessed = { ...form, credentials: { ...form.credentials, apiBaseUrl: undefined, accessToken: 'guessed' } };
      expect((await connect(world, world.acme, guessed, byMeta)).status).toBe('pending');
      expect((await show(world, world.globex, weak.id))?.status).toBe('active');
    });
  });

  it('replaces the credentials of a number that is posted again; the old app secret stays valid for the overlap', async () => {
    const form = metaForm(world);
    const first = await connect(world, world.acme, form);
    const second = await connect(world, world.acme, { ...form, credentials: { ...form.credentials, appSecret: 'meta-app-secret-2' } });
    expect(second.id).toBe(first.id);
    const webhooks = await webhooksOf(world, first.id);
    expect(webhooks.webhookSecrets).toEqual([
      { value: 'meta-app-secret-2', expiresAt: null },
      { value: 'meta-app-secret', expiresAt: new Date(world.now.getTime() + 24 * 3_600_000).toISOString() },
    ]);
    await recheckAfter(world, 24 * 60 + 1);
    expect((await webhooksOf(world, first.id)).webhookSecrets.map((secret) => secret.value)).toEqual(['meta-app-secret-2']);
  });

  it('keeps working with what it has when wrong credentials are posted again', async () => {
    const form = metaForm(world);
    const first = await connect(world, world.acme, form);
    const second = await connect(world, world.acme, { ...form, credentials: { ...form.credentials, accessToken: 'typo' } });
    expect(second).toMatchObject({ id: first.id, status: 'active', statusReason: expect.stringContaining('not in use yet') });
    const stored = await show(world, world.acme, first.id);
    const inUse = stored && (await runAsTenant(world.acme, () => world.deps.connections.openAccount(stored)));
    expect(inUse?.credentials['accessToken']).toBe('meta-access-token');
  });

  it('believes what the provider said of credentials only as long as they are the ones posted last', async () => {
    const form = metaForm(world);
    let posted: Promise<ConnectionRecord> | undefined;
    const late = await connect(world, world.acme, form, async (real, call) => {
      const reply = await real.request(call);
      // While Meta's word on the first ones is on its way, the tenant posts others.
      posted ??= connect(world, world.acme, { ...form, credentials: { ...form.credentials, accessToken: 'typo' } });
      await posted;
      return reply;
    });
    expect(late).toMatchObject({ id: (await posted)?.id, status: 'pending', statusReason: expect.stringContaining('access token') });
  });

  it('says which fields are wrong without repeating them', async () => {
    const attempt = connect(world, world.acme, metaForm(world, { phoneNumberId: '+1 555', nonsense: 'secret-value' }));
    await expect(attempt).rejects.toMatchObject({ code: 'request.invalid', issues: [{ path: 'body.credentials.phoneNumberId' }, { path: 'body.credentials.nonsense' }] });
    expect(await codeOf(connect(world, world.acme, { type: 'icq', credentials: {} }))).toBe('connection.type_unknown');
  });

  it('refuses the sandbox where there is none, and addresses that are not allowed', async () => {
    expect(await codeOf(connect(world, world.acme, metaForm(world, { sandbox: true })))).toBe('request.invalid');
    expect(await codeOf(connect(world, world.acme, metaForm(world, { apiBaseUrl: 'http://169.254.169.254' })))).toBe('egress.refused');
  });
});
