import type { Egress } from '@switchboard/service-kit';
import { z } from 'zod';
import { unverified, type Account, type ConnectContext, type Learned, type Unverified } from './connect-strategy.ts';
import { fetchAccount, readAnswer, refusalOf, sidOf, twilioCall, type TwilioAccount, type TwilioCall } from './twilio-client.ts';

/**
 * Milliseconds until whoever verifies webhooks surely knows a token that was announced: Twilio signs with the new one from the moment it is
 * promoted. An announcement is some milliseconds on its way; ingest looks it up at once.
 */
const pauseMs = 3_000;

/**
 * An account as Twilio lets the hub in. While its auth token is being replaced, `authToken` is the next one, which ingest knows already, and
 * `primaryAuthToken` the one that Twilio still takes and signs with.
 */
export type OpenedAccount = { readonly kind: 'opened'; readonly call: TwilioCall; readonly facts: TwilioAccount; readonly isPromoted: boolean } | Unverified;

export async function openTwilioAccount(account: Account, ways: { readonly egress: Egress; readonly hosts: Readonly<Record<string, string>> }): Promise<OpenedAccount> {
  const sid = sidOf(account);
  const { authToken = '', primaryAuthToken } = account.credentials;
  const call = twilioCall(ways, { user: sid, password: primaryAuthToken ?? authToken });
  const fetched = await fetchAccount(call, sid);
  if (fetched.kind === 'read') return { kind: 'opened', call, facts: fetched.value, isPromoted: false };
  if (primaryAuthToken === undefined || fetched.code !== 'provider.unauthorized') return fetched;
  // The answer to the promotion was lost.
  const next = twilioCall(ways, { user: sid, password: authToken });
  const again = await fetchAccount(next, sid);
  return again.kind === 'read' ? { kind: 'opened', call: next, facts: again.value, isPromoted: true } : again;
}

/** `begunAt`: when everybody was told, if that was just now; milliseconds of the process. */
export type Rotation = { readonly kind: 'none' } | { readonly kind: 'rotation'; readonly begunAt: number | undefined; readonly isPromoted: boolean; readonly nextToken: string } | Unverified;

const secondarySchema = z.object({ secondary_auth_token: z.string().min(1) });
const promotedSchema = z.object({ auth_token: z.string().min(1) });

/** Asks Twilio for the next auth token where that is wished, keeps it and has everybody know it before Twilio uses it. */
export async function beginRotation(account: Account, context: ConnectContext, { call, isPromoted }: { readonly call: TwilioCall; readonly isPromoted: boolean }): Promise<Rotation> {
  if (account.settings['rotateAuthToken'] !== 'true') return { kind: 'none' };
  const { authToken = '', primaryAuthToken } = account.credentials;
  if (primaryAuthToken !== undefined) return { kind: 'rotation', begunAt: undefined, isPromoted, nextToken: authToken };
  // Theirs would be void, and webhooks to their numbers refused, from the moment that the next one is in use.
  if (await context.isInUseElsewhere('accountSid')) return unverified(`Other connections use the Twilio account ${sidOf(account)} with the same auth token. Make a secondary token in the Twilio console, post it to POST …/rotate of each of them, and then make it the primary one there.`, false, 'provider.rejected');
  const make = () => call('POST', 'accounts', '/v1/AuthTokens/Secondary', { form: {} });
  let answer = await make();
  if (answer.kind === 'answer' && (answer.status === 400 || answer.status === 409)) {
    // There is one whose value nobody can read again: of a rotation that broke off. It signs nothing yet.
    const gone = await call('DELETE', 'accounts', '/v1/AuthTokens/Secondary');
    const refused = gone.kind === 'answer' && gone.status === 404 ? undefined : refusalOf(gone, 'remove the secondary auth token that is left of another rotation');
    if (refused !== undefined) return refused;
    answer = await make();
  }
  const made = readAnswer(answer, secondarySchema, 'make a secondary auth token');
  if (made.kind === 'unverified') return made;
  const nextToken = made.value.secondary_auth_token;
  const isKept = await context.keep({ credentials: { authToken: nextToken, primaryAuthToken: authToken } }, { isAnnounced: true });
  return isKept ? { kind: 'rotation', begunAt: performance.now(), isPromoted: false, nextToken } : superseded();
}

/** Has Twilio use the next auth token from now on; the account's old one is void then. */
export async function endRotation(rotation: Exclude<Rotation, Unverified>, account: Account, context: ConnectContext, call: TwilioCall): Promise<{ readonly kind: 'ended'; readonly learned: Learned } | Unverified> {
  if (rotation.kind === 'none') return { kind: 'ended', learned: {} };
  const ended = (authToken: string) => ({ kind: 'ended' as const, learned: { settings: { rotateAuthToken: '' }, credentials: { authToken, primaryAuthToken: '' } } });
  if (rotation.isPromoted) return ended(rotation.nextToken);
  const leftMs = rotation.begunAt === undefined ? 0 : rotation.begunAt + pauseMs - performance.now();
  if (leftMs > context.waitMs) return unverified('Twilio has made the next auth token, and the hub accepts it already. Twilio is told to use it in a minute. It is tried again.', true);
  if (leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs));
  const answer = await call('POST', 'accounts', '/v1/AuthTokens/Promote', { form: {} });
  if (answer.kind === 'answer' && (answer.status === 400 || answer.status === 404)) {
    // None is next any more. One that still lets in is in use: the answer to its promotion was lost, and the old one was taken for calls all the same.
    const sid = sidOf(account);
    const inUse = await fetchAccount(twilioCall(context, { user: sid, password: rotation.nextToken }), sid);
    if (inUse.kind === 'read') return ended(rotation.nextToken);
    if (inUse.code !== 'provider.unauthorized') return { ...inUse, retry: true };
    // Somebody removed it meanwhile: from the start.
    const { primaryAuthToken = account.credentials['authToken'] ?? '' } = account.credentials;
    await context.keep({ credentials: { authToken: primaryAuthToken, primaryAuthToken: '' } });
    return unverified('The next auth token was removed at Twilio before it was in use. It is tried again.', true, 'provider.rejected');
  }
  const promoted = readAnswer(answer, promotedSchema, 'put the next auth token into use');
  // A refusal, too, may come of a promotion whose answer was lost: the next check finds out.
  return promoted.kind === 'unverified' ? { ...promoted, retry: true } : ended(promoted.value.auth_token);
}

/** Somebody posted the credentials again in between: that draft's check goes on from what is there. */
export function superseded(): Unverified {
  return unverified('The credentials were posted again meanwhile.', true);
}
