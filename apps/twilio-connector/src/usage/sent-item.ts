import type { MessageId, TwilioUsageKind } from '@switchboard/contracts';
import { channelOf } from '../account-of.ts';
import { bodyOf } from '../part.ts';
import { segmentsOf } from '../segments.ts';
import { itemIdOf, type UncountedPart } from '../store/usage-items.ts';
import type { UsageItem } from './usage-item.ts';

/** A part of a message that Twilio has taken. Of a template that Twilio keeps, the text and so its segments are not known here: they count as one. Pure. */
export function sentItem(messageId: MessageId, { part, request, sid }: UncountedPart, at: Date): UsageItem | undefined {
  const body = bodyOf(request);
  if (body.kind !== 'message') return undefined;
  const isMms = request.media !== undefined && body.file !== 'link';
  const kind: TwilioUsageKind = channelOf(body.to) === 'whatsapp' ? 'whatsapp_outbound' : isMms ? 'mms_outbound' : 'sms_outbound';
  const units = kind === 'sms_outbound' ? segmentsOf(body.body ?? '').segments : 1;
  return { itemId: itemIdOf(messageId, part), kind, units, at, ...(sid === undefined ? {} : { sid }) };
}
