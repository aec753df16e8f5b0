import type { ClientContext } from '@switchboard/connector-kit';
import type { Days } from '../usage/read-days.ts';
import type { UsageRecord } from '../usage/twilio-usage-of.ts';
import { readTwilio } from './read-twilio.ts';

/** A page of Twilio's largest; there are some hundred categories. */
const pageSize = 1_000;
const recordsMax = 5_000;

/** Usage of the connection's own subaccount in these days, of every category. */
export function listUsage(context: ClientContext, { from, to }: Days): Promise<UsageRecord[]> {
  return readTwilio(context, async (twilio) => {
    // Of an account with subaccounts Twilio includes theirs when it is not told otherwise.
    const records = await twilio.usage.records.list({ startDate: new Date(`${from}T00:00:00Z`), endDate: new Date(`${to}T00:00:00Z`), includeSubaccounts: false, pageSize, limit: recordsMax });
    return records.map(({ category, count, usage, price, priceUnit }) => ({ category, count: textOf(count), usage: textOf(usage), price: textOf(price), priceUnit: textOf(priceUnit) }));
  });
}

/** Twilio writes numbers as text, and nothing where a category has none. */
function textOf(value: string | number | null | undefined): string {
  return value === null || value === undefined ? '' : String(value);
}
