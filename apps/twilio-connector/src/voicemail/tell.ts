import { deriveEventId, type ConnectorTools, type InboundEvent } from '@switchboard/connector-kit';
import type { ConnectionId, ContactRef, EventId, LeadId, MessageContent, PayloadInputOf } from '@switchboard/contracts';
import type { EventBus } from '@switchboard/event-bus';
import type { Call } from './call.ts';
import { addressOf, nameOf, type Saying } from './decide-voicemail.ts';

export type TellParts = { readonly bus: Pick<EventBus, 'publish'>; readonly publishInbound: ConnectorTools['publishInbound'] };

/** Publishes what is to be told of a call, in the open transaction. Ids come from the call alone: whatever it is told by, and however often, it is told once. */
export async function tell({ bus, publishInbound }: TellParts, sayings: readonly Saying[], call: Call, now: Date): Promise<void> {
  const cause = causeOf(call);
  const connection = { connectionId: call.connectionId, provider: 'twilio', role: 'channel' } as const;
  for (const saying of sayings) {
    const name = nameOf(saying);
    if (saying.kind === 'lead') {
      const lead = renderLead(saying, call);
      await bus.publish('lead.captured', lead, { orderingKey: lead.leadId, eventId: deriveEventId(cause, name) });
    } else await publishInbound([renderSaying(saying, call, now)], { cause, name, connection });
  }
}

/** In the place of an event's id, always the same for the same call of the same connection. */
export function causeOf({ connectionId, callSid }: { readonly connectionId: ConnectionId; readonly callSid: string }): EventId {
  return deriveEventId(`evt_${connectionId.slice('con_'.length)}`, `call ${callSid}`);
}

/** Pure. */
export function renderSaying(saying: Exclude<Saying, { kind: 'lead' }>, call: Call, now: Date): InboundEvent {
  const attributes = { call: call.callSid, source: 'voicemail' };
  const contact = contactOf(call);
  switch (saying.kind) {
    case 'handoff': {
      const content: MessageContent = { kind: 'handoff', to: 'desk', reason: saying.about === 'voicemail' ? 'voicemail' : 'missed call', summary: summaryOf(saying, call) };
      // Asked for now: what was closed while the transcript was waited for is opened by it.
      return { kind: 'message', providerMessageId: `handoff:${call.callSid}`, contact, author: 'system', content, attributes, sentAt: now.toISOString() };
    }
    case 'recording': {
      const { recordingSid, recording, transcript, isCutOff } = saying;
      const more = { ...(recording.seconds === null ? {} : { durationSeconds: String(recording.seconds) }), ...(isCutOff ? { cutOff: 'true' } : {}) };
      const content: MessageContent = { kind: 'audio', voice: true, media: { ...recording.media, ...(transcript === null ? {} : { caption: transcript }) } };
      return { kind: 'message', providerMessageId: recordingSid, contact, author: 'contact', content, attributes: { ...attributes, ...more }, sentAt: instant(recording.at) };
    }
    case 'late_transcript': {
      const { transcriptionSid, text, at } = saying;
      return { kind: 'message', providerMessageId: transcriptionSid, contact, author: 'contact', content: { kind: 'notice', text: `Transcript: ${text}` }, attributes, sentAt: instant(at) };
    }
    case 'missed': {
      const text = saying.reason === 'nothing_left' ? 'Missed call: no message was left.' : 'Missed call: the message could not be recorded.';
      return { kind: 'message', providerMessageId: `missed:${call.callSid}`, contact, author: 'contact', content: { kind: 'notice', text }, attributes, sentAt: instant(saying.at) };
    }
  }
}

/** Pure. Who called and when, and what was said as far as it is known. */
export function renderLead({ recordingSid, recording, transcript }: Extract<Saying, { kind: 'lead' }>, call: Call): PayloadInputOf<'lead.captured'> & { readonly leadId: LeadId } {
  const { caller, connectionId, callSid } = call;
  const phone = caller?.address.startsWith('+') === true ? { phone: caller.address } : {};
  const seconds: Record<string, string> = recording.seconds === null ? {} : { durationSeconds: String(recording.seconds) };
  return {
    leadId: `led_${deriveEventId(causeOf(call), `lead ${recordingSid}`).slice('evt_'.length)}`,
    source: 'voicemail',
    contact: { ...(caller?.name ? { name: caller.name } : {}), ...phone },
    ...(transcript === null ? {} : { notes: transcript.slice(0, notesLengthMax).toWellFormed() }),
    attributes: { call: callSid, recording: recordingSid, ...seconds, ...(caller?.to ? { to: caller.to } : {}) },
    from: { connectionId, address: addressOf(call) },
    at: instant(recording.at),
  };
}

/** UTF-16 code units, as in the event. */
const notesLengthMax = 8_192;

function contactOf(call: Call): ContactRef {
  const address = addressOf(call);
  const name = call.caller?.name ?? (address.startsWith('anonymous:') ? 'Anonymous caller' : undefined);
  return { address, ...(name === undefined ? {} : { name }), aliases: {} };
}

function summaryOf({ about }: Extract<Saying, { kind: 'handoff' }>, call: Call): string {
  const { address, name } = contactOf(call);
  const who = address.startsWith('anonymous:') ? (name ?? address) : [name, address].filter(Boolean).join(', ');
  return `${about === 'voicemail' ? 'Voicemail' : 'Missed call'} from ${who}${call.caller?.to ? ` to ${call.caller.to}` : ''}, ${instant(call.seenAt).slice(0, 16).replace('T', ' ')} UTC.`;
}

function instant(at: number): string {
  return new Date(at).toISOString();
}
