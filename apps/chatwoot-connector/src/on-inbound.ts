import type { ConnectorHooks, InboundEvent } from '@switchboard/connector-kit';
import type { Threads } from './store/threads.ts';

/** Milliseconds: webhooks are seconds late, on a busy server minutes. */
const echoMsMax = 2 * 60_000;

/**
 * Every webhook teaches which conversation a contact has: what the contact began itself is answered there. What the hub did to a conversation's
 * status comes back as if an agent had done it, and is left out.
 */
export function onInbound(threads: Threads): NonNullable<ConnectorHooks['onInbound']> {
  return async (events, { connection }) => {
    const inboxKey = connection.routingIdentifiers['inbox'];
    if (inboxKey === undefined) return events;
    const kept: InboundEvent[] = [];
    for (const event of events) {
      if (event.kind !== 'message') {
        kept.push(event);
        continue;
      }
      const key = { inboxKey, address: event.contact.address };
      const displayId = Number(event.providerConversationId);
      const messageId = /^\d{1,15}(?=:|$)/.exec(event.providerMessageId)?.[0];
      if (Number.isSafeInteger(displayId)) await threads.learn(key, { displayId, ...(messageId === undefined ? {} : { messageId: Number(messageId) }) });
      if (!(await isOwnDoing(event, key, threads))) kept.push(event);
    }
    return kept;
  };
}

type Message = Extract<InboundEvent, { kind: 'message' }>;

async function isOwnDoing({ content, providerMessageId }: Message, key: Parameters<Threads['statusWritten']>[0], threads: Threads): Promise<boolean> {
  if (content.kind !== 'handoff') return false;
  const status = providerMessageId.startsWith('resolved:') ? 'resolved' : providerMessageId.startsWith('opened:') ? 'open' : undefined;
  return status !== undefined && (await threads.statusWritten(key, status, echoMsMax)) === status;
}
