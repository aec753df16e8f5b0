import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MessageStatus, TwilioAccount, TwilioDelivery, TwilioFate, TwilioMessage } from './rows.ts';
import { listOf } from './parameters.ts';
import { newSid, type TwilioStore } from './twilio-store.ts';
import type { TwilioWebhooks } from './twilio-webhooks.ts';

/** Bytes of a file that WhatsApp takes. */
const mediaMaxBytes = 16 * 1024 * 1024;
const windowMs = 24 * 3_600_000;
/** The longest that a timer of Node takes. */
const timerMaxMs = 2 ** 31 - 1;

export type FetchFile = (url: string) => Promise<{ contentType: string; bytes: Buffer } | undefined>;

const isWhatsApp = (address: string): boolean => address.startsWith('whatsapp:');

/** Texts of the errors that a message can end with (contract, section 7), in words of our own. */
const errorTexts: Readonly<Record<number, string>> = {
  21610: 'The recipient has unsubscribed',
  21620: 'The media URL could not be fetched',
  30002: 'The account is suspended',
  30003: 'The destination handset cannot be reached',
  30004: 'The message is blocked',
  30005: 'The destination is unknown',
  30006: 'The destination is a landline or cannot be reached',
  30007: 'The carrier filtered the message',
  30008: 'Unknown error',
  63016: 'Outside the allowed window a template is needed',
  63018: 'The channel limits the rate',
  63019: 'The media could not be downloaded',
};

/** What becomes of an outbound message: its statuses in time, each with its callback. */
export class MessageLife {
  private readonly store: TwilioStore;
  private readonly webhooks: TwilioWebhooks;
  private readonly fetchFile: FetchFile;
  private readonly now: () => Date;
  private readonly running = new Set<Promise<unknown>>();

  constructor(store: TwilioStore, webhooks: TwilioWebhooks, fetchFile: FetchFile, now: () => Date) {
    this.store = store;
    this.webhooks = webhooks;
    this.fetchFile = fetchFile;
    this.now = now;
  }

  /** Begins behind the answer to the call that made the message; before it where a fate says so. */
  async start(account: TwilioAccount, message: TwilioMessage): Promise<void> {
    const fate = this.store.takeFate(account.sid, message);
    const life = fate?.early === true ? this.live(account, message, fate) : nextTurn().then(() => this.live(account, message, fate));
    const done = life.catch(() => undefined).finally(() => this.running.delete(done));
    this.running.add(done);
    if (fate?.early === true) await done;
  }

  /** Sent when its time has come, unless it was canceled until then. Forgotten when the sandbox ends. */
  startAt(account: TwilioAccount, message: TwilioMessage, at: Date): void {
    const inMs = at.getTime() - this.now().getTime();
    if (inMs > timerMaxMs) return;
    setTimeout(() => {
      const due = this.store.find('twilioMessage', account.sid, message.sid);
      if (due?.status === 'scheduled') void this.start(account, due);
    }, inMs).unref();
  }

  /** When no message is on its way any more: for tests. */
  async settled(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }

  /** A status that comes from outside: a contact reads, a carrier gives up. */
  async advance(accountSid: string, sid: string, status: MessageStatus, errorCode?: number): Promise<TwilioDelivery | undefined> {
    const before = this.store.find('twilioMessage', accountSid, sid);
    if (before === undefined) return undefined;
    const at = this.now().toISOString();
    const isOut = ['sent', 'delivered', 'read', 'undelivered'].includes(status);
    const message: TwilioMessage = {
      ...before,
      status,
      updatedAt: at,
      sentAt: before.sentAt ?? (isOut ? at : null),
      price: before.price ?? (isOut ? priceOf(before) : null),
      errorCode: errorCode ?? null,
      errorMessage: errorCode === undefined ? null : (errorTexts[errorCode] ?? 'The message could not be delivered'),
    };
    this.store.put('twilioMessage', sid, message);
    const url = this.callbackOf(message);
    return url === undefined ? undefined : await this.webhooks.send(accountSid, { kind: 'status', url, parameters: this.parametersOf(message) });
  }

  private async live(account: TwilioAccount, message: TwilioMessage, fate: TwilioFate | undefined): Promise<void> {
    const { sid } = message;
    if (fate !== undefined) {
      for (const [index, status] of fate.statuses.entries()) await this.advance(account.sid, sid, status, index === fate.statuses.length - 1 ? fate.errorCode : undefined);
      return;
    }
    if (account.receipts === 'none') return;
    await this.advance(account.sid, sid, 'queued');
    const fault = await this.faultOf(message);
    if (fault !== undefined) {
      await this.advance(account.sid, sid, fault.status, fault.code);
      return;
    }
    await this.advance(account.sid, sid, 'sent');
    if (account.receipts === 'sent') return;
    await this.advance(account.sid, sid, 'delivered');
    if (account.receipts === 'read' && isWhatsApp(message.to)) await this.advance(account.sid, sid, 'read');
  }

  private async faultOf(message: TwilioMessage): Promise<{ status: MessageStatus; code: number } | undefined> {
    for (const url of listOf(message.parameters, 'MediaUrl')) {
      const file = await this.fetchFile(url);
      if (file === undefined || file.bytes.length > mediaMaxBytes) return { status: 'failed', code: isWhatsApp(message.to) ? 63019 : 21620 };
      const media = { sid: newSid('ME'), accountSid: message.accountSid, parentSid: message.sid, contentType: file.contentType, base64: file.bytes.toString('base64'), createdAt: this.now().toISOString() };
      this.store.put('twilioMedia', media.sid, media);
    }
    return this.isOutsideWindow(message) ? { status: 'undelivered', code: 63016 } : undefined;
  }

  /** WhatsApp takes anything for 24 hours after the contact wrote, and templates it has approved at any time. */
  private isOutsideWindow(message: TwilioMessage): boolean {
    if (!isWhatsApp(message.to)) return false;
    const contentSid = message.parameters['ContentSid'];
    if (typeof contentSid === 'string' && this.store.find('twilioContent', message.accountSid, contentSid)?.approved === true) return false;
    const openedAt = this.store.windowOpenedAt(message.accountSid, message.from, message.to);
    return openedAt === undefined || this.now().getTime() - openedAt.getTime() > windowMs;
  }

  /** The message's own URL, else its service's, else its sender's. */
  private callbackOf(message: TwilioMessage): string | undefined {
    if (message.statusCallback !== null) return message.statusCallback;
    const service = message.serviceSid === null ? undefined : this.store.find('twilioService', message.accountSid, message.serviceSid);
    const sender = this.store.senderOf(message.accountSid, message.from)?.webhook['status_callback_url'];
    return service?.settings['StatusCallback'] || (typeof sender === 'string' && sender !== '' ? sender : undefined);
  }

  private parametersOf(message: TwilioMessage): Record<string, string> {
    const failed = message.errorCode !== null;
    const isOver = ['delivered', 'undelivered'].includes(message.status);
    return {
      ...(isWhatsApp(message.to)
        ? {
            ChannelPrefix: 'whatsapp',
            ChannelInstallSid: this.store.senderOf(message.accountSid, message.from)?.sid ?? '',
            ChannelToAddress: message.to.replace(/^whatsapp:/, ''),
            ...(isOver || message.status === 'read' ? { EventType: message.status.toUpperCase() } : {}),
            ...(failed ? { ChannelStatusMessage: message.errorMessage ?? '' } : {}),
          }
        : isOver
          ? { RawDlrDoneDate: message.updatedAt.slice(2, 16).replaceAll(/\D/g, '') }
          : {}),
      ...(failed ? { ErrorCode: String(message.errorCode) } : {}),
      ...(message.serviceSid === null ? {} : { MessagingServiceSid: message.serviceSid }),
      SmsSid: message.sid,
      SmsStatus: message.status,
      MessageStatus: message.status,
      To: message.to,
      MessageSid: message.sid,
      AccountSid: message.accountSid,
      From: message.from,
      ApiVersion: '2010-04-01',
    };
  }
}

/** Made up, but counted as Twilio does: an SMS by its segments. */
export function priceOf(message: Pick<TwilioMessage, 'to' | 'numMedia' | 'numSegments'>): string {
  const each = isWhatsApp(message.to) ? 0.005 : message.numMedia > 0 ? 0.02 : 0.0079;
  return `-${(each * (isWhatsApp(message.to) || message.numMedia > 0 ? 1 : message.numSegments)).toFixed(5)}`;
}
