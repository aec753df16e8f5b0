import { createTenant, hubError, newId, scopes, type BodyOf, type ReplyOf } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { hashApiKey } from '@switchboard/secrets';
import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import type { Dependencies } from '../app.ts';
import { creationOf, repeatableMs, textOfKey, type CreationRequest } from '../tenants/creation.ts';
import { publishTenantChanged } from '../tenants/publish-tenant-changed.ts';

/** What a tenant's first key may do: everything a key can. */
const firstKeyScopes = scopes;

export function createTenantRoute(deps: Dependencies): Route {
  return defineRoute(createTenant, async ({ body, idempotencyKey }) => {
    const request = idempotencyKey === undefined ? undefined : creationOf(deps.config.apiKeyPepper, idempotencyKey, body);
    const created = await create(deps, body, request);
    if (created.kind === 'created') return created.reply;
    const repeated = request && (await findRepeated(deps, body, request));
    if (repeated !== undefined) return repeated;
    throw hubError(created.kind === 'id_taken' ? 'tenant.taken' : 'tenant.subdomain_taken');
  });
}

type Created = { kind: 'created'; reply: ReplyOf<typeof createTenant> } | { kind: 'id_taken' } | { kind: 'other_taken' };

function create({ db, bus, tenants, erasures, apiKeys, audit, config, now }: Dependencies, body: BodyOf<typeof createTenant>, request: CreationRequest | undefined): Promise<Created> {
  const { tenantId, subdomain = null, timeZone = null, ...rest } = body;
  const keyId = newId('key');
  return runAsTenant(tenantId, async (): Promise<Created> => {
    // Copies of what was erased a moment ago may still be in somebody's memory.
    if (await runAsSystem('an id is free again some time after its tenant was erased', () => erasures.isStillSettling(tenantId, now()))) return { kind: 'id_taken' };
    await bus.erasedTenants.revive(now().toISOString());
    return await db.transaction(async (): Promise<Created> => {
      const creation = request && { creationKey: request.key, creation: { request: request.fingerprint, keyId } };
      const created = await tenants.insert({ ...rest, subdomain, timeZone, ...creation });
      if (created.kind !== 'inserted') return created;

      const apiKey = textOfKey(config.apiKeyPepper, keyId, request);
      await apiKeys.insert({ keyId, name: 'First key', hash: hashApiKey(config.apiKeyPepper, apiKey), scopes: firstKeyScopes, createdAt: now() });
      await audit.append({ action: 'tenant.created', subject: tenantId, facts: { plan: rest.plan, rateLimit: rest.rateLimit } });
      await audit.append({ action: 'api_key.created', subject: keyId, facts: { scopes: firstKeyScopes } });
      // First of all that is said of it: what is said of a tenant that nobody has heard of waits.
      await publishTenantChanged(bus, { record: created.tenant, timeZone }, 'created');
      await bus.publish('api_key.changed', { keyId, status: 'active' }, { orderingKey: keyId });
      return { kind: 'created', reply: replyOf(created.tenant, apiKey) };
    });
  });
}

/** What the first request with this Idempotency-Key was answered; undefined when there was none, or too long ago. */
async function findRepeated({ tenants, config, now }: Dependencies, body: BodyOf<typeof createTenant>, request: CreationRequest): Promise<ReplyOf<typeof createTenant> | undefined> {
  const made = await runAsSystem('an Idempotency-Key may have made another tenant', () => tenants.findByCreationKey(request.key));
  if (made === undefined) return undefined;
  const { record, creation } = made;
  if (record.tenant_id !== body.tenantId || creation.request !== request.fingerprint) throw hubError('request.idempotency_conflict');
  if (now().getTime() - new Date(record.created_at).getTime() > repeatableMs) return undefined;
  return replyOf(record, textOfKey(config.apiKeyPepper, creation.keyId, request));
}

function replyOf(tenant: ReplyOf<typeof createTenant>['tenant'], apiKey: string): ReplyOf<typeof createTenant> {
  return { tenant, apiKey, message: 'Tenant created successfully' };
}
