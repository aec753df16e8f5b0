import { findGenesysDomain } from '@switchboard/providers';
import { z } from 'zod';
import { askProvider, type ProviderAnswer } from './ask-provider.ts';
import { unverified, type Account, type AskContext, type ConnectContext, type ConnectOutcome, type ConnectStrategy, type Unverified } from './connect-strategy.ts';

/**
 * Genesys Cloud Open Messaging. Settings this strategy writes:
 * `integrationOrigin`: `given` by the tenant or `created` by the hub; `webhookSecretOrigin`: `given` or `generated`. What the hub created or
 * generated, it also configures at Genesys; what the tenant gave is believed to be configured there.
 */
export const genesys: ConnectStrategy = {
  isSameAccount(posted, existing) {
    if (posted.settings['region'] !== existing.settings['region'] || posted.settings['apiBaseUrl'] !== existing.settings['apiBaseUrl']) return false;
    return existing.settings['integrationOrigin'] === 'created' || posted.settings['clientId'] === existing.settings['clientId'];
  },

  generatedFields: (account) => (account.settings['webhookSecretOrigin'] === 'generated' ? ['webhookSecret'] : []),

  complete(posted, previous, generateSecret) {
    const given = posted.routingIdentifiers['integrationId'];
    const known = previous?.routingIdentifiers['integrationId'];
    const integrationId = given ?? known;
    const isKnown = integrationId !== undefined && integrationId === known;
    const integrationOrigin = isKnown ? (previous?.settings['integrationOrigin'] ?? 'given') : given === undefined ? 'created' : 'given';
    const webhookSecret = posted.credentials['webhookSecret'];
    return {
      routingIdentifiers: { ...posted.routingIdentifiers, ...(integrationId === undefined ? {} : { integrationId }) },
      settings: { ...withLoginHost(posted.settings), integrationOrigin, webhookSecretOrigin: webhookSecret === undefined ? 'generated' : 'given' },
      credentials: { ...posted.credentials, webhookSecret: webhookSecret ?? generateSecret() },
    };
  },

  async verify(account, context) {
    const token = await fetchToken(account, context);
    if (token.kind === 'unverified') return token;
    const call = genesysCall(context, token.accessToken);
    const integrationId = account.routingIdentifiers['integrationId'];
    if (integrationId !== undefined) {
      const found = await loadIntegration(integrationId, call);
      // One of ours that was deleted at Genesys, or never came to be, is made anew; a tenant's own is the tenant's.
      const isLost = found.kind === 'integration' ? found.createStatus === 'Error' : found.missing === true;
      if (!isLost || account.settings['integrationOrigin'] !== 'created') return found.kind === 'integration' ? await configureIntegration(found, account, context, call) : found;
    }

    const created = await createIntegration(account, context, call);
    if (created.kind === 'unverified') return created;
    await context.keep({ routingIdentifiers: { integrationId: created.id } });
    return await untilCompleted(created, context, call);
  },

  async ask(account, context) {
    const token = await fetchToken(account, context);
    if (token.kind === 'unverified') return token;
    const integrationId = account.routingIdentifiers['integrationId'];
    if (integrationId === undefined) return { kind: 'verified' };
    const call = genesysCall(context, token.accessToken);
    const found = await loadIntegration(integrationId, call);
    return found.kind === 'unverified' ? found : await untilCompleted(found, { waitMs: 0 }, call);
  },

  async remove(account, context) {
    if (account.settings['integrationOrigin'] !== 'created') {
      return { kind: 'nothing_to_remove', reason: 'The Open Messaging integration was there before the hub and stays. Remove the hub\'s address from it at Genesys, or delete it there.' };
    }
    if (await context.isInUseElsewhere('integrationId')) return { kind: 'nothing_to_remove', reason: 'Another connection uses the same Open Messaging integration.' };
    const token = await fetchToken(account, context);
    if (token.kind === 'unverified') return { kind: 'failed', reason: token.reason };
    const call = genesysCall(context, token.accessToken);
    const known = account.routingIdentifiers['integrationId'];
    const target = known === undefined ? await findOurs(context, call) : { kind: 'integration' as const, id: known };
    if (target.kind === 'unverified') return { kind: 'failed', reason: target.reason };
    if (target.kind === 'none') return { kind: 'nothing_to_remove', reason: 'The hub has made no Open Messaging integration for this connection.' };
    const answer = await call('DELETE', pathOf(target.id));
    if (answer.kind === 'unanswered') return { kind: 'failed', reason: answer.outcome.reason };
    if (answer.status === 404) return { kind: 'nothing_to_remove', reason: 'The Open Messaging integration is gone already.' };
    return answer.status >= 200 && answer.status < 300 ? { kind: 'removed' } : { kind: 'failed', reason: refusalOf(answer, 'delete', 'delete the integration').reason };
  },
};

/** Who puts something else in the place of Genesys' API, and says nothing of the login host, has it log in there too: credentials then reach one place. */
function withLoginHost(settings: Account['settings']): Account['settings'] {
  const { apiBaseUrl, loginBaseUrl } = settings;
  if (apiBaseUrl === undefined || loginBaseUrl !== undefined || findGenesysDomain(new URL(apiBaseUrl).host) !== undefined) return settings;
  return { ...settings, loginBaseUrl: apiBaseUrl };
}

const integrationsPath = '/api/v2/conversations/messaging/integrations/open';

/** Genesys' largest page, and more of them than an organisation has. */
const pageSize = 100;
const pagesMax = 50;

/** Milliseconds between two looks at an integration that is being created. */
const pollEveryMs = 400;

const tokenSchema = z.object({ access_token: z.string().min(1) });
const integrationSchema = z.object({
  id: z.string().min(1),
  name: z.string().optional(),
  outboundNotificationWebhookUrl: z.string().optional(),
  createStatus: z.string().optional(),
  createError: z.unknown().optional(),
});
const integrationListSchema = z.object({ entities: z.array(integrationSchema) });
const errorSchema = z.object({ code: z.string().optional(), error: z.string().optional(), message: z.string().optional() });

type Integration = z.infer<typeof integrationSchema>;
type Call = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object) => Promise<ProviderAnswer>;
type Answered = Extract<ProviderAnswer, { kind: 'answer' }>;
type Found = { readonly kind: 'integration' } & Integration;
/** There is no such integration (any more). */
type Missing = Unverified & { readonly missing?: true };

async function fetchToken(account: Account, context: AskContext): Promise<Unverified | { kind: 'token'; accessToken: string }> {
  const { clientId = '', region } = account.settings;
  const basic = Buffer.from(`${clientId}:${account.credentials['clientSecret'] ?? ''}`).toString('base64');
  const answer = await askProvider(context.egress, 'Genesys', {
    method: 'POST',
    url: `${context.hosts['login']}/oauth/token`,
    headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: 'grant_type=client_credentials',
  });
  if (answer.kind === 'unanswered') return answer.outcome;
  const token = tokenSchema.safeParse(answer.json);
  if (answer.status === 200 && token.success) return { kind: 'token', accessToken: token.data.access_token };
  // 400 and 401 are final: the same credentials will not be believed later, and asking in a loop looks like an attack.
  return unverified(`Genesys refuses the client id or client secret${region === undefined ? '' : ` (region ${region})`}${codeOf(answer.json)}. Check both, and that the OAuth client is enabled and of the grant type "Client Credentials".`, false);
}

function genesysCall(context: AskContext, accessToken: string): Call {
  return (method, path, body) =>
    askProvider(context.egress, 'Genesys', {
      method,
      url: `${context.hosts['api']}${path}`,
      headers: { authorization: `Bearer ${accessToken}`, accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
}

async function createIntegration(account: Account, context: ConnectContext, call: Call): Promise<Missing | Found> {
  if (context.mayHaveMade) {
    const ours = await findOurs(context, call);
    if (ours.kind !== 'none') return ours;
  }
  const answer = await call('POST', integrationsPath, { name: `Switchboard ${context.connectionId}`, ...webhookOf(account, context) });
  return readIntegration(answer, 'add', 'create an Open Messaging integration');
}

/** What carries our address is ours. `none` only when every page was seen: made twice, an integration gets half of the messages each. */
async function findOurs(context: AskContext, call: Call): Promise<Unverified | Found | { readonly kind: 'none' }> {
  for (let pageNumber = 1; pageNumber <= pagesMax; pageNumber++) {
    const answer = await call('GET', `${integrationsPath}?pageSize=${pageSize}&pageNumber=${pageNumber}`);
    if (answer.kind === 'unanswered') return answer.outcome;
    const page = integrationListSchema.safeParse(answer.json).data;
    if (answer.status !== 200 || page === undefined) return refusalOf(answer, 'view', 'list the integrations');
    const ours = page.entities.find((integration) => integration.outboundNotificationWebhookUrl === context.webhookUrl && integration.createStatus !== 'Error');
    if (ours !== undefined) return { kind: 'integration', ...ours };
    if (page.entities.length < pageSize) return { kind: 'none' };
  }
  return unverified(`This Genesys organisation has more than ${pagesMax * pageSize} Open Messaging integrations. Name one of them in integrationId.`, false);
}

async function loadIntegration(integrationId: string, call: Call): Promise<Missing | Found> {
  return readIntegration(await call('GET', pathOf(integrationId)), 'view', 'read the integration', integrationId);
}

function pathOf(integrationId: string): string {
  return `${integrationsPath}/${encodeURIComponent(integrationId)}`;
}

async function configureIntegration(found: Integration, account: Account, context: ConnectContext, call: Call): Promise<ConnectOutcome> {
  const completed = await untilCompleted(found, context, call);
  if (completed.kind === 'unverified') return completed;
  if (account.settings['integrationOrigin'] !== 'created' && account.settings['webhookSecretOrigin'] !== 'generated') return completed;

  // Genesys wants the name in every PATCH, even where it stays.
  const patched = readIntegration(await call('PATCH', pathOf(found.id), { name: found.name ?? `Switchboard ${context.connectionId}`, ...webhookOf(account, context) }), 'edit', 'set the webhook of the integration', found.id);
  return patched.kind === 'unverified' ? patched : { kind: 'verified' };
}

function webhookOf(account: Account, context: ConnectContext): object {
  return { outboundNotificationWebhookUrl: context.webhookUrl, outboundNotificationWebhookSignatureSecretToken: account.credentials['webhookSecret'] };
}

/** Genesys creates in its own time; looks again until it is done or `waitMs` are over. */
async function untilCompleted(integration: Integration, context: Pick<ConnectContext, 'waitMs'>, call: Call): Promise<ConnectOutcome> {
  const deadline = performance.now() + context.waitMs;
  for (let current = integration; ; ) {
    // Integrations older than the field have none: they are there.
    if (current.createStatus === undefined || current.createStatus === 'Completed') return { kind: 'verified' };
    if (current.createStatus === 'Error') return unverified(`Genesys could not create the Open Messaging integration${codeOf(current.createError)}. Delete it at Genesys, then post the credentials again.`, false);
    if (performance.now() >= deadline) return unverified('Genesys is still creating the Open Messaging integration. It becomes active by itself when Genesys is done.', true);
    await new Promise((resolve) => setTimeout(resolve, pollEveryMs));
    const looked = await loadIntegration(current.id, call);
    if (looked.kind === 'unverified') return looked;
    current = looked;
  }
}

function readIntegration(answer: ProviderAnswer, permission: string, attempted: string, integrationId?: string): Missing | Found {
  if (answer.kind === 'unanswered') return answer.outcome;
  const integration = integrationSchema.safeParse(answer.json);
  if (answer.status >= 200 && answer.status < 300 && integration.success) return { kind: 'integration', ...integration.data };
  if (answer.status === 404 && integrationId !== undefined) {
    return { ...unverified(`There is no Open Messaging integration ${integrationId} in this Genesys organisation. Check integrationId and region, or leave integrationId out to have one created.`, true, 'provider.not_found'), missing: true };
  }
  return refusalOf(answer, permission, attempted);
}

function refusalOf(answer: Answered, permission: string, attempted: string): Unverified {
  switch (answer.status) {
    case 401:
      return unverified(`Genesys gave a token and then refused it${codeOf(answer.json)}. It is tried again.`, true);
    case 403:
      return unverified(`Genesys does not let this OAuth client ${attempted}: give its role the permission messaging:integration:${permission}${codeOf(answer.json)}. It is tried again.`, true, 'provider.forbidden');
    default:
      return unverified(`Genesys did not ${attempted} (status ${answer.status})${codeOf(answer.json)}. Check the values and post the credentials again.`, false);
  }
}

/** The provider's own word for what is wrong, for the one who looks it up. */
function codeOf(json: unknown): string {
  const parsed = errorSchema.safeParse(json).data;
  const code = parsed?.code ?? parsed?.error ?? parsed?.message;
  return code === undefined ? '' : `: ${code.slice(0, 120)}`;
}
