import { providers } from '@switchboard/providers';
import { randomBytes } from 'node:crypto';
import type { GenesysIntegration, SandboxState } from '../sandbox-state.ts';
import type { WebhookOutcome, WebhookSender } from '../webhook-sender.ts';

/** Genesys repeats up to five times with a fixed pause of 5 s on a timeout, 429 or 5xx, and waits 10 s for an answer. */
const retryDelaysMs = [5_000, 5_000, 5_000, 5_000, 5_000];
const timeoutMs = 10_000;

export type AgentReply = {
  readonly to: string;
  readonly text?: string;
  readonly content?: readonly unknown[];
  readonly events?: readonly unknown[];
  readonly type?: 'Text' | 'Structured' | 'Event' | 'Receipt';
  readonly id?: string;
  readonly extra?: Readonly<Record<string, unknown>>;
};

/** Sends an integration's webhooks in the form recorded from Genesys Cloud, signed with the integration's secret. */
export class GenesysWebhooks {
  private readonly sender: WebhookSender;
  private readonly state: SandboxState;
  private readonly now: () => Date;

  constructor(sender: WebhookSender, state: SandboxState, now: () => Date) {
    this.sender = sender;
    this.state = state;
    this.now = now;
  }

  async send(integration: GenesysIntegration, reply: AgentReply): Promise<{ id: string; outcome: WebhookOutcome }> {
    const id = reply.id ?? randomBytes(16).toString('hex');
    const conversation = this.state.get('genesysConversation', `${integration.id}:${reply.to}`);
    const body = JSON.stringify({
      id,
      channel: {
        id: integration.id,
        platform: 'Open',
        type: 'Private',
        to: { id: reply.to, idType: 'Opaque' },
        from: { nickname: integration.name, id: integration.id, idType: 'Opaque' },
        time: this.now().toISOString(),
        messageId: id,
      },
      type: reply.type ?? 'Text',
      ...(reply.text === undefined ? {} : { text: reply.text }),
      ...(reply.content === undefined ? {} : { content: reply.content }),
      ...(reply.events === undefined ? {} : { events: reply.events }),
      originatingEntity: 'Human',
      direction: 'Outbound',
      ...(conversation === undefined ? {} : { conversationId: conversation.conversationId }),
      ...reply.extra,
    });
    const outcome = await this.sender.send({
      provider: 'genesys',
      url: integration.outboundNotificationWebhookUrl,
      proof: { auth: providers.genesys.webhook.auth, secret: integration.outboundNotificationWebhookSignatureSecretToken },
      body,
      retryDelaysMs,
      isRepeated: (status) => status === undefined || status === 429 || status >= 500,
      timeoutMs,
    });
    return { id, outcome };
  }
}
