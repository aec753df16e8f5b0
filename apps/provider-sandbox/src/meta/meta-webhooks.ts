import { providers } from '@switchboard/providers';
import type { MetaAccount } from '../sandbox-state.ts';
import type { WebhookOutcome, WebhookSender } from '../webhook-sender.ts';

/** Meta repeats at once, then a few more times less and less often, for days; a stand-in stops after a minute. */
const retryDelaysMs = [500, 2_000, 5_000, 15_000, 30_000];
const timeoutMs = 20_000;

/** Sends an account's webhooks in Meta's envelope, signed with its app secret. */
export class MetaWebhooks {
  private readonly sender: WebhookSender;
  private readonly now: () => Date;

  constructor(sender: WebhookSender, now: () => Date) {
    this.sender = sender;
    this.now = now;
  }

  /** `value` is that of Meta's `entry[].changes[]`, without product and metadata. */
  send(account: MetaAccount, value: Record<string, unknown>): Promise<WebhookOutcome> {
    return this.sendChanges(account, [{ account, value }]);
  }

  /** Several accounts in one body, signed with the first one's app secret: what Meta does for one app with many numbers. */
  sendChanges(signer: MetaAccount, changes: readonly { account: MetaAccount; value: Record<string, unknown> }[]): Promise<WebhookOutcome> {
    const entry = changes.map(({ account, value }) => ({
      id: account.wabaId,
      changes: [
        {
          value: { messaging_product: 'whatsapp', metadata: { display_phone_number: account.displayPhoneNumber, phone_number_id: account.phoneNumberId }, ...value },
          field: 'messages',
        },
      ],
    }));
    // Meta escapes non-ASCII characters and slashes in what it sends; hashing anything but the raw bytes must fail against the sandbox too.
    const body = escapeAsMeta(JSON.stringify({ object: 'whatsapp_business_account', entry }));
    return this.sender.send({
      provider: 'whatsapp',
      url: signer.webhookUrl,
      proof: { auth: providers.whatsapp.webhook.auth, secret: signer.appSecret },
      body,
      retryDelaysMs,
      isRepeated: (status) => status !== 200,
      timeoutMs,
    });
  }

  /** The statuses that follow a message by themselves, as the account is set. */
  sendStatuses(account: MetaAccount, message: { id: string; contact: string; callbackData: string | undefined }): void {
    if (account.receipts === 'none') return;
    const statuses = account.receipts === 'read' ? ['sent', 'delivered', 'read'] : ['sent', 'delivered'];
    void (async () => {
      for (const status of statuses) await this.sendStatus(account, { ...message, status });
    })();
  }

  sendStatus(account: MetaAccount, status: { id: string; contact: string; callbackData?: string; status: string; errors?: unknown }): Promise<WebhookOutcome> {
    return this.send(account, {
      statuses: [
        {
          id: status.id,
          status: status.status,
          timestamp: String(Math.floor(this.now().getTime() / 1000)),
          recipient_id: status.contact,
          ...(status.callbackData === undefined ? {} : { biz_opaque_callback_data: status.callbackData }),
          ...(status.errors === undefined ? {} : { errors: status.errors }),
        },
      ],
    });
  }
}

function escapeAsMeta(json: string): string {
  return json.replaceAll('/', String.raw`\/`).replaceAll(/[\u0080-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
