import type { InboundEvent } from '@switchboard/connector-kit';
import { isMediaContent } from '@switchboard/contracts';
import { channelOf } from '../account-of.ts';
import { callStep, type CallStep } from '../voicemail-step.ts';
import type { UsageItem } from './usage-item.ts';

type InboundMessage = Extract<InboundEvent, { kind: 'message' }>;

/** What a webhook shows of use: its message, whatever it has of files, the call, the recording, the transcript. Statuses show none that is new. Pure. */
export function inboundItems(events: readonly InboundEvent[]): UsageItem[] {
  const items = new Map<string, UsageItem>();
  for (const event of events) {
    const step = callStep(event);
    const item = step === undefined ? (event.kind === 'message' && event.author === 'contact' ? messageItem(event) : undefined) : stepItem(step);
    // Files of one message come as messages of their own, the one with the text first.
    if (item !== undefined && !items.has(item.itemId)) items.set(item.itemId, item);
  }
  return [...items.values()];
}

/** A message's own SID; files beside the first one have `.1`, `.2` behind it. */
const messageSid = /^((SM|MM)[0-9a-f]{32})(\.\d+)?$/i;

function messageItem({ providerMessageId, contact, content, attributes, sentAt }: InboundMessage): UsageItem | undefined {
  const [, sid, prefix] = messageSid.exec(providerMessageId) ?? [];
  if (sid === undefined) return undefined;
  const item = { itemId: sid, at: new Date(sentAt), units: 1 };
  if (channelOf(contact.address) === 'whatsapp') return { ...item, kind: 'whatsapp_inbound' };
  if (isMediaContent(content) || prefix?.toUpperCase() === 'MM') return { ...item, kind: 'mms_inbound' };
  return { ...item, kind: 'sms_inbound', units: Math.max(1, wholeOf(attributes?.['segments'])) };
}

function stepItem({ name, callSid, facts, at }: CallStep): UsageItem | undefined {
  const when = new Date(at);
  const recordingSid = facts['RecordingSid'];
  switch (name) {
    case 'call':
    case 'call_status':
    case 'call_action':
      // Its length is known when it has ended; until then the minute it has begun counts.
      return { itemId: callSid, kind: 'calls_inbound', units: begunMinutes(facts['CallDuration']), at: when };
    case 'recording':
      return recordingSid === undefined || facts['RecordingStatus'] !== 'completed' ? undefined : { itemId: recordingSid, kind: 'recordings', units: begunMinutes(facts['RecordingDuration']), at: when };
    case 'transcription': {
      const { TranscriptionSid: itemId, TranscriptionStatus: status } = facts;
      return itemId === undefined || status !== 'completed' ? undefined : { itemId, kind: 'transcriptions', units: 1, at: when };
    }
  }
}

function begunMinutes(seconds: string | undefined): number {
  return Math.max(1, Math.ceil(wholeOf(seconds) / 60));
}

/** What anybody may have put into a form: never more than a day of seconds. */
const wholeMax = 86_400;

function wholeOf(text: string | undefined): number {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Math.min(Number(text), wholeMax) : 0;
}
