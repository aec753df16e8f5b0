import { randomBytes } from 'node:crypto';
import type { SandboxState } from '../sandbox-state.ts';
import type { TwilioAccount, TwilioFate, TwilioNumber, TwilioSender, TwilioService, TwilioTables } from './rows.ts';

export const newSid = (prefix: string): string => prefix + randomBytes(16).toString('hex');
export const newToken = (): string => randomBytes(16).toString('hex');

type OwnedTable = Exclude<keyof TwilioTables, 'twilioAccount' | 'twilioOptOut' | 'twilioWindow' | 'twilioReceived' | 'twilioDelivery'>;

/** Twilio's rows. A SID is looked up in its account alone: another account's is a missing one. */
export class TwilioStore {
  readonly state: SandboxState;

  constructor(state: SandboxState) {
    this.state = state;
  }

  account(sid: string): TwilioAccount | undefined {
    return this.state.get('twilioAccount', sid);
  }
  accounts(): TwilioAccount[] {
    return this.state.all('twilioAccount');
  }
  putAccount(account: TwilioAccount): TwilioAccount {
    this.state.put('twilioAccount', account.sid, account);
    return account;
  }

  find<T extends OwnedTable>(table: T, accountSid: string, sid: string): TwilioTables[T] | undefined {
    return this.state.get(table, `${accountSid}|${sid}`);
  }
  /** Oldest first. */
  list<T extends OwnedTable>(table: T, accountSid: string): TwilioTables[T][] {
    return this.state.inGroup(table, accountSid);
  }
  put<T extends OwnedTable>(table: T, id: string, row: TwilioTables[T] & { accountSid: string }): TwilioTables[T] {
    // The compiler does not see through the intersection that the state's tables are.
    this.state.put(table, `${row.accountSid}|${id}`, row as Parameters<typeof this.state.put<T>>[2]);
    return row;
  }
  remove(table: OwnedTable, accountSid: string, sid: string): void {
    this.state.remove(table, `${accountSid}|${sid}`);
  }

  /** Whosever it is: a number is one account's in the world. */
  numberOwner(phoneNumber: string): TwilioNumber | undefined {
    return this.state.all('twilioNumber').find((number) => number.phoneNumber === phoneNumber);
  }
  numberOf(accountSid: string, phoneNumber: string): TwilioNumber | undefined {
    return this.list('twilioNumber', accountSid).find((number) => number.phoneNumber === phoneNumber);
  }
  senderOf(accountSid: string, senderId: string): TwilioSender | undefined {
    return this.list('twilioSender', accountSid).find((sender) => sender.senderId === senderId);
  }
  /** The service in whose pool a number or sender is; it can be in one alone. */
  serviceOf(accountSid: string, sid: string): TwilioService | undefined {
    return this.list('twilioService', accountSid).find(({ pool }) => pool.includes(sid));
  }

  /** Whom a contact writes STOP to: the service that a number is in, else the number. */
  optOutSenderOf(accountSid: string, sender: string): string {
    const number = this.numberOf(accountSid, sender);
    return (number && this.serviceOf(accountSid, number.sid)?.sid) ?? sender;
  }
  hasOptedOut(accountSid: string, sender: string, contact: string): boolean {
    return this.state.get('twilioOptOut', pairKey(accountSid, sender, contact)) !== undefined;
  }
  optOut(accountSid: string, sender: string, contact: string, at: Date): void {
    this.state.put('twilioOptOut', pairKey(accountSid, sender, contact), { at: at.toISOString() });
  }
  optIn(accountSid: string, sender: string, contact: string): void {
    this.state.remove('twilioOptOut', pairKey(accountSid, sender, contact));
  }

  windowOpenedAt(accountSid: string, sender: string, contact: string): Date | undefined {
    const at = this.state.get('twilioWindow', pairKey(accountSid, sender, contact))?.at;
    return at === undefined ? undefined : new Date(at);
  }
  openWindow(accountSid: string, sender: string, contact: string, at: Date): void {
    this.state.put('twilioWindow', pairKey(accountSid, sender, contact), { at: at.toISOString() });
  }

  /** The first fate that fits a message, counted as used. */
  takeFate(accountSid: string, { to, body }: { to: string; body: string }): TwilioFate | undefined {
    const fate = this.list('twilioFate', accountSid).find((one) => (one.to === undefined || one.to === to) && (one.contains === undefined || body.includes(one.contains)));
    if (fate === undefined) return undefined;
    if (fate.left > 1) this.put('twilioFate', fate.id, { ...fate, left: fate.left - 1 });
    else this.remove('twilioFate', accountSid, fate.id);
    return fate;
  }
}

function pairKey(accountSid: string, sender: string, contact: string): string {
  return `${accountSid}|${`${sender}>${contact}`.replaceAll('|', '%7C')}`;
}
