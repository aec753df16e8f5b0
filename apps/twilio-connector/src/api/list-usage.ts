import type { ClientContext } from '@switchboard/connector-kit';
import { z } from 'zod';
import type { UsageRecord } from '../usage/twilio-usage-of.ts';
import { accountPathOf, readTwilio } from './call-twilio.ts';

/** Numbers are text; a category without a count has none, and newer ones may be numbers. */
const text = z.preprocess((value) => (value === null || value === undefined ? '' : String(value)), z.string());
const pageSchema = z.object({
  usage_records: z.array(z.object({ category: text, count: text, usage: text, price: text, price_unit: text })),
  next_page_uri: z.string().nullish(),
});

/** A thousand a page: more than there are categories. */
const pagesMax = 5;

/** Usage of the connection's own subaccount in these days (`YYYY-MM-DD` in GMT, both included), of every category. */
export async function listUsage(context: ClientContext, days: { readonly from: string; readonly to: string }): Promise<UsageRecord[]> {
  // Of an account with subaccounts Twilio includes theirs when it is not told otherwise.
  const query = new URLSearchParams({ StartDate: days.from, EndDate: days.to, IncludeSubaccounts: 'false', PageSize: '1000' });
  const records: UsageRecord[] = [];
  let path: string | null | undefined = `${accountPathOf(context)}/Usage/Records.json?${query.toString()}`;
  for (let page = 0; page < pagesMax && path; page++) {
    const reply: z.output<typeof pageSchema> = await readTwilio(context, path, pageSchema);
    records.push(...reply.usage_records.map(({ price_unit: priceUnit, ...record }) => ({ ...record, priceUnit })));
    path = reply.next_page_uri;
  }
  return records;
}
