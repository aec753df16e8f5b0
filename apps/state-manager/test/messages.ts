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

/** A bot writes. */
export function fromBot({ botpress }: TestTenant, change: Partial<Received> & { readonly text?: string } = {}): Received {
  const { text: said = 'I am a bot', ...rest } = change;
  return { ...fromAgent({ genesys: botpress } as TestTenant), provider: 'botpress', role: 'bot', author: 'bot', content: text(said), ...rest }; // an agent of no more than this connection
}

/** Somebody writes in a Chatwoot inbox. */
export function fromInbox({ chatwoot }: TestTenant, change: Partial<Received> & { readonly text?: string } = {}): Received {
  const { text: said = 'hello', ...rest } = change;
  return {
    connectionId: chatwoot,
    provider: 'chatwoot',
    role: 'channel',
    providerMessageId: newId('evt'),
    providerConversationId: '17',
    contact: { address: '5f1e7d9c-source', name: 'Ada', aliases: {} },
    author: 'contact',
    content: text(said),
    sentAt: '2026-11-21T12:00:00.000Z',
    ...rest,
  };
}

/** Asks that the conversation changes hands. */
export function handoffTo(to: 'bot' | 'desk' | 'none', change: { readonly reason?: string; readonly summary?: string; readonly assignment?: { agentId?: string; labels?: string[]; attributes?: Record<string, string> } } = {}): MessageContent {
  return { kind: 'handoff', to, reason: 'asked for a person', ...change };
}

export function statusOf(connectionId: ConnectionId, provider: MessageReceived['provider'], change: Omit<Partial<Status>, 'connectionId' | 'provider'>): Status {
  return { connectionId, provider, status: 'sent', at: '2026-11-21T12:00:01.000Z', ...change };
}
