import { newId, type ConnectionId, type MessageContent, type MessageReceived, type PayloadInputOf } from '@switchboard/contracts';
import type { TestTenant } from './start-state.ts';

type Received = PayloadInputOf<'message.received'>;
type Status = PayloadInputOf<'message.status'>;

const text = (value: string): MessageContent => ({ kind: 'text', text: value });

/** A contact writes on WhatsApp. */
export function fromContact({ whatsapp }: TestTenant, change: Partial<Received> & { readonly text?: string } = {}): Received {
  const { text: said = 'hello', ...rest } = change;
  return {
    connectionId: whatsapp,
    provider: 'whatsapp',
    role: 'channel',
    providerMessageId: `wamid.${newId('evt')}`,
    contact: { address: '15005550123', name: 'Ada', aliases: { waId: '15005550123' } },
    author: 'contact',
    content: text(said),
    sentAt: '2026-11-21T12:00:00.000Z',
    ...rest,
  };
}

/** An agent writes in Genesys. */
export function fromAgent({ genesys }: TestTenant, change: Partial<Received> & { readonly text?: string } = {}): Received {
  const { text: said = 'how can I help?', ...rest } = change;
  return {
    connectionId: genesys,
    provider: 'genesys',
    role: 'desk',
    providerMessageId: newId('evt'),
    contact: { address: '15005550123', aliases: {} },
    author: 'agent',
    content: text(said),
    sentAt: '2026-11-21T12:00:00.000Z',
    ...rest,
  };
}

export function statusOf(connectionId: ConnectionId, provider: MessageReceived['provider'], change: Omit<Partial<Status>, 'connectionId' | 'provider'>): Status {
  return { connectionId, provider, status: 'sent', at: '2026-11-21T12:00:01.000Z', ...change };
}
