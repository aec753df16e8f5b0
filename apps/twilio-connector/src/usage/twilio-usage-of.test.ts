import { describe, expect, it } from '@jest/globals';
import { twilioUsageKinds } from '@switchboard/contracts';
import { twilioUsageOf, type UsageRecord } from './twilio-usage-of.ts';

const record = (category: string, count: string, usage = count, price = '0.10'): UsageRecord => ({ category, count, usage, price, priceUnit: 'usd' });

describe('Twilio\'s usage records in the hub\'s words', () => {
  it('have each thing once, although categories stand within others', () => {
    const { byKind } = twilioUsageOf([record('sms', '9'), record('sms-inbound', '4', '6'), record('sms-inbound-longcode', '3'), record('sms-inbound-shortcode', '1'), record('sms-outbound', '5')]);
    expect([byKind.sms_inbound, byKind.sms_outbound]).toEqual([{ count: 4, units: 6, price: '0.10' }, { count: 5, units: 5, price: '0.10' }]);
  });

  it('have WhatsApp\'s messages under whichever name the account has, and not twice under both', () => {
    const inbound = (...records: UsageRecord[]) => twilioUsageOf(records).byKind.whatsapp_inbound.count;
    expect([inbound(record('channels-messaging-inbound', '3')), inbound(record('channels-whatsapp-inbound', '3')), inbound(record('channels-messaging-inbound', '3'), record('channels-whatsapp-inbound', '2'))]).toEqual([3, 3, 3]);
  });

  it('are added up where a category comes in several, to the last digit', () => {
    expect(twilioUsageOf([record('calls-inbound', '1', '0.5', '0.1'), record('calls-inbound', '2', '3', '0.2'), record('totalprice', '', '', '0.1'), record('totalprice', '', '', '0.2')])).toMatchObject({ currency: 'USD', totalPrice: '0.3', byKind: { calls_inbound: { count: 3, units: 4, price: '0.3' } } });
  });

  it('are zeros where there are none, and no number is anything else than one', () => {
    const nothing = twilioUsageOf([]);
    expect([nothing.currency, nothing.totalPrice, Object.keys(nothing.byKind)]).toEqual([null, null, [...twilioUsageKinds]]);
    expect(twilioUsageOf([record('recordings', 'many', '-5', 'free')]).byKind.recordings).toEqual({ count: 0, units: 0, price: '0' });
  });
});
