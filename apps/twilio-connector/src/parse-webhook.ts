import type { ConnectorWebhook, InboundEvent, PublicConnection } from '@switchboard/connector-kit';
import { accountOf } from './account-of.ts';
import { parseMessage } from './parse-message.ts';
import { parseStatus } from './parse-status.ts';
import { parseCallStep } from './parse-call-step.ts';
import { readWebhook } from './wire.ts';

/** Twilio's webhook as ingest stored it, in the hub's words. Pure, never throws; what it cannot read of a message becomes `unsupported` and is kept. */
export function parseWebhook({ body, receivedAt }: ConnectorWebhook, connection: PublicConnection): InboundEvent[] {
  const webhook = readWebhook(body);
  if (webhook === undefined) return [{ kind: 'ignored', reason: 'not a webhook of Twilio' }];
  const { kind, query, form } = webhook;
  // Ingest verified it with this subaccount's token; this holds even if it did not.
  if (form['AccountSid'] !== undefined && form['AccountSid'] !== accountOf(connection).accountSid) return [{ kind: 'ignored', reason: 'another account' }];
  if (kind === 'message') return parseMessage(form, receivedAt);
  if (kind === 'status') return [parseStatus(form, query, receivedAt)];
  if (kind === 'other') return [{ kind: 'ignored', reason: 'neither a message, nor a status, nor a call' }];
  return [parseCallStep(kind, form, receivedAt)];
}
