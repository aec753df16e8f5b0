import { parseJson, type ClientContext, type Delivered, type InboundEvent, type RenderedPart } from '@switchboard/connector-kit';
import { hubError } from '@switchboard/contracts';
import type { EgressReply } from '@switchboard/service-kit';
import { apiBaseUrl } from './account.ts';
import { parseItems } from './parse-items.ts';
import { toEvents } from './parse-webhook.ts';
import { hubMessageIdOf, readPart, withFile } from './part-body.ts';
import { withAddress } from './with-address.ts';
import { refusalOfV12 } from './refusals.ts';
import { converseReplySchema, loginReplySchema, v12ErrorSchema } from './wire.ts';

/** Milliseconds a server may think: its own timeout is 5 s, but it stands still while the bot's actions run (contract, 1.3). */
const turnTimeoutMs = 60_000;
const loginTimeoutMs = 15_000;
/** A token is not used in its last seconds: the turn takes time too. */
const tokenMarginMs = 30_000;
/** Log-ins that are kept: a token has about a kilobyte. */
const tokensMax = 10_000;

type Token = { readonly jwt: string; readonly expiresAt: number };

/**
 * Makes what gives turns to bots on v12 servers: logs in once an hour, and never has two requests of one user under way, which would mix their answers
 * and has brought servers down (contract, 1.3). The answer is the bot's: it comes back as `inbound`.
 */
export function createV12Sender(): (part: RenderedPart, context: ClientContext) => Promise<Delivered> {
  const tokens = new Map<string, Promise<Token>>();
  const lines = new Map<string, Promise<unknown>>();

  async function send(part: RenderedPart, context: ClientContext): Promise<Delivered> {
    const { connection, egress } = context;
    const { fid, request } = readPart(part);
    const url = `${apiBaseUrl(connection)}/api/v1/bots/${encodeURIComponent(connection.settings['botId'] ?? '')}/converse/${encodeURIComponent(fid)}/secured`;
    const body = JSON.stringify(withFile(request, part, context, ''));
    const reply = await withToken(context, (jwt) =>
      egress.request({ method: 'POST', url, headers: { authorization: `Bearer ${jwt}`, 'content-type': 'application/json' }, body, timeoutMs: turnTimeoutMs }),
    );
    return { status: 'delivered', providerConversationId: fid, inbound: answersOf(reply, fid, hubMessageIdOf(request['metadata']) ?? '', context) };
  }

  /** A new log-in after a 401, once: the server may have been restarted with another secret. */
  async function withToken(context: ClientContext, call: (jwt: string) => Promise<EgressReply>): Promise<EgressReply> {
    const key = keyOf(context);
    const token = await tokenOf(key, context);
    const reply = await call(token.jwt);
    if (reply.status !== 401) return reply;
    tokens.delete(key);
    return call((await tokenOf(key, context)).jwt);
  }

  async function tokenOf(key: string, context: ClientContext): Promise<Token> {
    const kept = await tokens.get(key);
    if (kept !== undefined && kept.expiresAt > context.now().getTime()) return kept;
    const fresh = logIn(context);
    if (tokens.size >= tokensMax) tokens.clear();
    tokens.set(key, fresh);
    // A log-in that failed is nobody's answer to the next turn.
    fresh.catch(() => tokens.delete(key));
    return fresh;
  }

  return (part, context) => {
    const { fid } = readPart(part);
    const turn = (lines.get(fid) ?? Promise.resolve()).then(() => send(part, context));
    // The next one waits for the end of this one, whatever it is.
    const end = turn.then(() => undefined, () => undefined);
    lines.set(fid, end);
    void end.then(() => lines.get(fid) === end && lines.delete(fid));
    return turn;
  };
}

/** Of the connection as it is now: new credentials are another log-in. */
function keyOf({ connection: { tenantId, connectionId, version } }: ClientContext): string {
  return `${tenantId}/${connectionId}/${version}`;
}

async function logIn({ connection, egress, now }: ClientContext): Promise<Token> {
  const body = JSON.stringify({ email: connection.settings['email'], password: connection.credentials['password'] });
  const reply = await egress.request({ method: 'POST', url: `${apiBaseUrl(connection)}/api/v1/auth/login/basic/default`, headers: { 'content-type': 'application/json' }, body, timeoutMs: loginTimeoutMs });
  const token = loginReplySchema.safeParse(parseJson(reply.body)).data?.payload;
  if (reply.status >= 300) throw logInRefused(reply);
  if (token === undefined) throw hubError('provider.unauthorized', { publicMessage: 'The Botpress server gave no token for the log-in of this connection.', detail: { scope: 'account', sent: false } });
  return { jwt: token.jwt, expiresAt: now().getTime() + token.exp - tokenMarginMs };
}

/** Nothing of the turn was sent yet, whatever the server says. */
function logInRefused(reply: EgressReply) {
  if (reply.status >= 500) return hubError('provider.unavailable', { publicMessage: 'The Botpress server is not available; the message is sent again.', detail: { status: reply.status, sent: false } });
  if (reply.status === 429) return refusalOfV12(reply, {});
  return hubError('provider.unauthorized', { publicMessage: 'The Botpress server refuses the e-mail address or the password of this connection.', detail: { status: reply.status, scope: 'account', sent: false } });
}

function answersOf(reply: EgressReply, fid: string, messageId: string, context: ClientContext): InboundEvent[] {
  const json = parseJson(reply.body);
  if (reply.status >= 300) {
    const error = v12ErrorSchema.catch({}).parse(json);
    // A bot that says nothing is no fault of the turn (contract, 1.3).
    if (/no responses found/i.test(error.message ?? '')) return [];
    throw refusalOfV12(reply, error);
  }
  const { responses } = converseReplySchema.catch({ responses: [] }).parse(json);
  // What comes with the answer has no id; the question has one.
  const events = toEvents(parseItems(responses, apiBaseUrl(context.connection)), { fid, id: `v12-${messageId}`, sentAt: context.now().toISOString() }, context.connection);
  return events.filter((event) => event.kind !== 'message' || event.content.kind !== 'typing').map(withAddress);
}
