import { twilioUsageKinds, type TwilioUsageKind } from '@switchboard/contracts';
import { addDecimals } from './add-decimals.ts';

/** One of Twilio's usage records: everything of a category in a time. Twilio writes numbers as text. */
export type UsageRecord = { readonly category: string; readonly count: string; readonly usage: string; readonly price: string; readonly priceUnit: string };

export type TwilioUse = { readonly count: number; readonly units: number; readonly price: string };

export type TwilioUseOfAll = { readonly currency: string | null; readonly totalPrice: string | null; readonly byKind: Readonly<Record<TwilioUsageKind, TwilioUse>> };

/**
 * Twilio's categories by our kinds (api/v2010 usage_record_enum_category as it was last published, 2025-08; free text since). Categories hold others:
 * `sms-inbound` has those of long codes, short codes and toll-free numbers in it, so only the ones that stand for a whole kind are read. Where a kind
 * has several names an account has the same messages under each that it has: the one with most of them counts. Meta's fees for templates stand beside
 * WhatsApp's messages, in categories of their own: they are in the total price alone.
 */
const categories: Readonly<Record<TwilioUsageKind, readonly string[]>> = {
  sms_inbound: ['sms-inbound'],
  sms_outbound: ['sms-outbound'],
  mms_inbound: ['mms-inbound'],
  mms_outbound: ['mms-outbound'],
  whatsapp_inbound: ['channels-messaging-inbound', 'channels-whatsapp-inbound'],
  whatsapp_outbound: ['channels-messaging-outbound', 'channels-whatsapp-outbound'],
  calls_inbound: ['calls-inbound'],
  recordings: ['recordings', 'calls-recordings'],
  transcriptions: ['transcriptions'],
};

export const noTwilioUse: TwilioUse = { count: 0, units: 0, price: '0' };

/** Usage records of a subaccount in the hub's words. A category that comes in several records (days, months) is added up. Pure. */
export function twilioUsageOf(records: readonly UsageRecord[]): TwilioUseOfAll {
  const entries = twilioUsageKinds.map((kind) => [kind, mostOf(categories[kind].map((category) => useOf(category, records)))] as const);
  const total = records.filter(({ category }) => category === 'totalprice');
  return {
    currency: records.find(({ priceUnit }) => priceUnit !== '')?.priceUnit.toUpperCase() ?? null,
    totalPrice: total.length === 0 ? null : addDecimals(total.map(({ price }) => price)),
    // The cast is safe: made of all kinds.
    byKind: Object.fromEntries(entries) as Record<TwilioUsageKind, TwilioUse>,
  };
}

function useOf(category: string, records: readonly UsageRecord[]): TwilioUse {
  const own = records.filter((record) => record.category === category);
  if (own.length === 0) return noTwilioUse;
  return { count: wholeOf(addDecimals(own.map(({ count }) => count))), units: wholeOf(addDecimals(own.map(({ usage }) => usage))), price: addDecimals(own.map(({ price }) => price)) };
}

function mostOf(uses: readonly TwilioUse[]): TwilioUse {
  return uses.reduce((most, use) => (use.count > most.count ? use : most), uses[0] ?? noTwilioUse);
}

/** Minutes may be written as `3.50`; a begun one is one. */
function wholeOf(text: string): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.ceil(Number(text))));
}
