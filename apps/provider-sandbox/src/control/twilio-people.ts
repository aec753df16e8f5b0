import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { SandboxRoute } from '../exchange.ts';
import { receiveMessage } from '../twilio/receive-message.ts';
import { runCall } from '../twilio/run-call.ts';
import type { TwilioDelivery, TwilioFate } from '../twilio/rows.ts';
import { TwilioStore } from '../twilio/twilio-store.ts';
import type { TwilioControl } from './twilio-control.ts';
import { unknown, withBody } from './with-body.ts';

const sid = (prefix: string) => z.string().regex(new RegExp(`^(${prefix})[0-9a-f]{32}$`, 'i'));

const receiveSchema = z.strictObject({
  from: z.string().min(1),
  to: z.string().min(1),
  text: z.string().default(''),
  name: z.string().optional(),
  media: z.array(z.strictObject({ mimeType: z.string(), base64: z.base64() })).default([]),
  location: z.strictObject({ latitude: z.number(), longitude: z.number(), address: z.string().optional(), label: z.string().optional() }).optional(),
  button: z.strictObject({ text: z.string(), payload: z.string().optional(), type: z.string().optional() }).optional(),
  repliesTo: sid('SM|MM').optional(),
  referral: z.record(z.string(), z.string()).optional(),
  externalUserId: z.string().optional(),
  country: z.string().default('US'),
  messageSid: sid('SM|MM').optional(),
  extra: z.record(z.string(), z.string()).default({}),
});

const callSchema = z.strictObject({
  from: z.string().min(1),
  to: z.string().min(1),
  country: z.string().default('US'),
  does: z.enum(['hangUp', 'speak', 'silent']).default('speak'),
  seconds: z.number().min(0).max(14_400).default(12),
  ends: z.string().regex(/^(hangup|silence|[0-9*#])$/).default('hangup'),
  recording: z.enum(['completed', 'absent', 'failed']).default('completed'),
  missingFetches: z.int().min(0).default(0),
  audio: z.strictObject({ mimeType: z.string(), base64: z.base64() }).optional(),
  transcript: z.string().nullable().default("Hi, it's Bo, call me back."),
  order: z.array(z.enum(['call', 'action', 'status', 'recording', 'transcription'])).default(['action', 'status', 'recording', 'transcription']),
  withoutRecordingSid: z.boolean().default(false),
  extra: z.record(z.string(), z.string()).default({}),
});

const statusName = z.enum(['accepted', 'scheduled', 'queued', 'sending', 'sent', 'delivered', 'undelivered', 'failed', 'read', 'canceled']);
const statusSchema = z.strictObject({ messageSid: sid('SM|MM'), status: statusName, errorCode: z.int().optional() });
const fateSchema = z.strictObject({ to: z.string().optional(), contains: z.string().optional(), statuses: z.array(statusName).min(1).default(['queued', 'sent', 'undelivered']), errorCode: z.int().optional(), early: z.boolean().default(false), times: z.int().min(1).max(100_000).default(1) });

/** What contacts and carriers do. */
export function twilioPeopleRoutes({ state, life, twilioWebhooks, publicUrl, now }: TwilioControl): SandboxRoute[] {
  const store = new TwilioStore(state);
  const deps = { store, webhooks: twilioWebhooks, baseUrl: `${publicUrl}/twilio`, now };

  const receive = withBody(receiveSchema, async (given, exchange) => {
    const received = await receiveMessage(deps, exchange.match[0] ?? '', given);
    if (received === undefined) return unknown('account, number or sender');
    return { status: 202, json: { messageSid: received.messageSid, ...(received.note === undefined ? {} : { note: received.note }), ...doneOf(received.deliveries) } };
  });

  const call = withBody(callSchema, async (given, exchange) => {
    const run = await runCall(deps, exchange.match[0] ?? '', given);
    if (run === undefined) return unknown('account or number');
    const { row, recordingSid, transcriptionSid, note } = run;
    return { status: 202, json: { callSid: row.sid, status: row.status, recordingSid, transcriptionSid, verbs: row.verbs, error: row.error, ...(note === undefined ? {} : { note }), ...doneOf(run.deliveries) } };
  });

  const status = withBody(statusSchema, async (given, exchange) => {
    const account = exchange.match[0] ?? '';
    if (store.find('twilioMessage', account, given.messageSid) === undefined) return unknown('message');
    const delivery = await life.advance(account, given.messageSid, given.status, given.errorCode);
    return { status: 202, json: { messageSid: given.messageSid, ...doneOf(delivery === undefined ? [] : [delivery]) } };
  });

  const fate = withBody(fateSchema, ({ times, ...given }, exchange) => {
    const account = store.account(exchange.match[0] ?? '');
    if (account === undefined) return unknown('account');
    const row: TwilioFate = { id: randomUUID(), accountSid: account.sid, left: times, ...given };
    store.put('twilioFate', row.id, row);
    return { status: 201, json: { fate: row } };
  });

  return [
    { method: 'POST', path: '/sandbox/twilio/accounts/:account/receive', handle: receive },
    { method: 'POST', path: '/sandbox/twilio/accounts/:account/call', handle: call },
    { method: 'POST', path: '/sandbox/twilio/accounts/:account/status', handle: status },
    { method: 'POST', path: '/sandbox/twilio/accounts/:account/fates', handle: fate },
  ];
}

/** What the hub answered, in the order of the webhooks. */
export function doneOf(deliveries: readonly TwilioDelivery[]): { attempts: readonly (number | null)[]; deliveries: readonly TwilioDelivery[] } {
  return { attempts: deliveries.flatMap(({ attempts }) => attempts), deliveries };
}
