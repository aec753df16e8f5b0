import { messageContentSchema, type ConnectionWithSecrets, type MessageContent } from '@switchboard/contracts';
import type { InboundEvent } from '../port.ts';

/** What is for the hub: neither nothing, nor what the connector keeps to itself. */
export type Said = Exclude<InboundEvent, { kind: 'ignored' | 'step' }>;

export function isSaid(inbound: InboundEvent): inbound is Said {
  return inbound.kind !== 'ignored' && inbound.kind !== 'step';
}

export type Publication = { readonly type: 'message.received' | 'message.status'; readonly payload: object; readonly orderingKey: string };

/** What a provider said as an event of the catalogue, in the order of its contact. Pure. */
export function toInboundPayload(inbound: Said, { connectionId, provider, role }: Pick<ConnectionWithSecrets, 'connectionId' | 'provider' | 'role'>): Publication {
  if (inbound.kind === 'message') {
    const { kind: _kind, remoteMedia: _remoteMedia, content, ...message } = inbound;
    return { type: 'message.received', payload: { ...message, connectionId, provider, role, content: readable(content) }, orderingKey: `${connectionId}:${inbound.contact.address}` };
  }
  const { kind: _kind, part: _part, contactAddress, ...status } = inbound;
  return {
    type: 'message.status',
    payload: { ...status, connectionId, provider },
    orderingKey: `${connectionId}:${contactAddress ?? status.messageId ?? status.providerMessageId ?? 'status'}`,
  };
}

/** A connector that reads what the vocabulary refuses (a latitude of 95) must not lose the message. */
function readable(content: MessageContent): MessageContent {
  const parsed = messageContentSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return { kind: 'unsupported', providerType: content.kind, reason: issue && `${issue.path.join('.')}: ${issue.message}`, raw: content };
}
