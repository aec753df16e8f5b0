import { deriveEventId, type RunClient } from '@switchboard/connector-kit';
import { isHubError, newId, type ConnectionWithSecrets, type EventId } from '@switchboard/contracts';
import type { Database } from '@switchboard/db';
import type { EventBus } from '@switchboard/event-bus';
import { accountOf } from '../account-of.ts';
import { listMedia, listMessages, readMessage, type MessageFilter, type TwilioMessage } from '../api/messages.ts';
import type { DueReconciliation } from '../store/reconciliations.ts';
import type { AwaitedStatus, UsageItems } from '../store/usage-items.ts';
import { inboundOf, targetsOf, type MissedMessage } from './missed-messages.ts';
import { storedMessage, storedStatus } from './stored-webhook.ts';

export type LookDeps = {
  readonly runClient: RunClient;
  readonly items: UsageItems;
  readonly bus: Pick<EventBus, 'publish'>;
  readonly db: Pick<Database<unknown>, 'transaction'>;
  readonly now: () => Date;
};

/** Milliseconds that a webhook is given to come by itself: Twilio's retries end after 15 seconds, and the bus may be behind. */
const settleMs = 2 * 60_000;
/** Milliseconds of what was looked at before, once more: Twilio lists a message when it has it, which need not be when it was sent. */
export const overlapMs = 10 * 60_000;
/** Milliseconds looked through at once: after a long absence in several steps. */
const stepMsMax = 24 * 60 * 60_000;
const stepMsMin = 60_000;
/** Messages that are published at once; the rest comes with the next look. */
const missedMax = 500;
const awaitedMax = 100;
/** Milliseconds: a message without an outcome is asked for after an hour, after a day, and then no more. */
const secondLookMs = 24 * 60 * 60_000;

/** How far it has come, and whether there is more to look at already. */
export type Looked = { readonly lookedUntil: Date; readonly isBehind: boolean };

/**
 * Looks through a connection's messages at Twilio for those whose webhook never came, and asks what became of messages that were not heard of. What is
 * found takes the way of a webhook: the same parser, the same files, the same hooks. Runs as the connection's tenant.
 */
export async function lookThrough(due: DueReconciliation, connection: ConnectionWithSecrets, deps: LookDeps): Promise<Looked> {
  await askForStatuses(due, connection, deps);
  const goal = new Date(deps.now().getTime() - settleMs);
  if (goal <= due.lookedUntil) return { lookedUntil: due.lookedUntil, isBehind: false };
  // Twilio's times have no fractions of a second.
  const since = new Date(Math.floor((due.lookedUntil.getTime() - overlapMs) / 1_000) * 1_000);
  const until = new Date(Math.min(goal.getTime(), due.lookedUntil.getTime() + stepMsMax));
  const listed = await listStep(connection, { since, until }, deps);
  const inbound = inboundOf(listed.messages, accountOf(connection), { since, until: listed.until });
  const known = await deps.items.known(inbound.map(({ sid }) => sid));
  const missed = inbound.filter(({ sid }) => !known.has(sid));
  const now = missed.slice(0, missedMax);
  for (const message of now) await publishMessage(message, due.cause, connection, deps);
  const last = now.at(-1)?.at;
  const lookedUntil = missed.length > now.length && last !== undefined ? last : listed.until;
  return { lookedUntil, isBehind: lookedUntil < goal };
}

/** All messages of a step, or of as much of it as can be read at once. */
async function listStep(connection: ConnectionWithSecrets, step: { readonly since: Date; readonly until: Date }, { runClient }: LookDeps): Promise<{ readonly messages: readonly TwilioMessage[]; readonly until: Date }> {
  const { since } = step;
  let { until } = step;
  for (;;) {
    const filter = { since, until };
    const lists = await Promise.all(targetsOf(accountOf(connection)).map((target): Promise<TwilioMessage[] | undefined> => runClient(connection, (context) => listMessages(context, { ...target, ...filter } satisfies MessageFilter))));
    const messages = lists.flatMap((list) => list ?? []);
    const length = until.getTime() - since.getTime();
    if (lists.every((list) => list !== undefined) || length <= overlapMs + stepMsMin) return { messages, until };
    // Never less than the overlap and a minute: it must get on.
    until = new Date(since.getTime() + Math.max(overlapMs + stepMsMin, Math.floor(length / 2)));
  }
}

async function publishMessage(message: MissedMessage, cause: EventId, connection: ConnectionWithSecrets, deps: LookDeps): Promise<void> {
  const files = Number(message.numMedia) > 0 ? await deps.runClient(connection, (context) => listMedia(context, message.sid)) : [];
  await publishWebhook(storedMessage(message, files, accountOf(connection).accountSid), { eventId: deriveEventId(cause, `message/${message.sid}`), receivedAt: message.at, orderedBy: message.from }, connection, deps);
}

async function askForStatuses({ cause, connectionId }: DueReconciliation, connection: ConnectionWithSecrets, deps: LookDeps): Promise<void> {
  for (const sent of await deps.items.awaited(connectionId, deps.now(), awaitedMax)) {
    const message = await findMessage(sent.sid, connection, deps);
    await deps.db.transaction(async () => {
      const isOver = message === undefined || finalStatuses.has(message.status);
      await deps.items.putOff(connectionId, sent.itemId, isOver ? null : nextLook(sent, deps.now()));
      if (message === undefined || !isOver) return;
      const eventId = deriveEventId(cause, `status/${message.sid}/${message.status}`);
      await publishWebhook(storedStatus(message, accountOf(connection).accountSid), { eventId, receivedAt: deps.now(), orderedBy: message.to }, connection, deps);
    });
  }
}

/** Twilio's words for an end (api/v2010 message_enum_status). */
const finalStatuses: ReadonlySet<string> = new Set(['delivered', 'read', 'undelivered', 'failed', 'canceled']);

function nextLook({ at }: AwaitedStatus, now: Date): Date | null {
  const second = new Date(at.getTime() + secondLookMs);
  return second > now ? second : null;
}

/** A message that the tenant has deleted at Twilio has no outcome any more. */
async function findMessage(sid: string, connection: ConnectionWithSecrets, { runClient }: LookDeps): Promise<TwilioMessage | undefined> {
  return runClient(connection, async (context) => {
    try {
      return await readMessage(context, sid);
    } catch (error) {
      if (isHubError(error) && error.detail['httpStatus'] === 404) return undefined;
      throw error;
    }
  });
}

type Found = { readonly eventId: EventId; readonly receivedAt: Date; readonly orderedBy: string };

async function publishWebhook(body: string, { eventId, receivedAt, orderedBy }: Found, { connectionId }: ConnectionWithSecrets, { bus }: LookDeps): Promise<void> {
  await bus.publish('webhook.received.twilio', { webhookId: newId('whk'), connectionId, body, receivedAt: receivedAt.toISOString() }, { orderingKey: `${connectionId}:${orderedBy}`, eventId });
}
