import { listUnknownAccounts, providerIdSchema } from '@switchboard/contracts';
import { defineRoute, pageOfRows, readCursor, type Route } from '@switchboard/service-kit';
import type { UnknownAccountPosition, UnknownAccountStore } from '../store/unknown-accounts.ts';

export function listUnknownAccountsRoute(unknownAccounts: UnknownAccountStore): Route {
  return defineRoute(listUnknownAccounts, async ({ query: { limit, cursor, provider } }) => {
    const after = readPosition(cursor);
    const rows = await unknownAccounts.list({ limit: limit + 1, ...(provider === undefined ? {} : { provider }), ...(after === undefined ? {} : { after }) });
    return pageOfRows(rows, limit, (row) => `${row.lastAt}|${row.provider}|${row.account}`);
  });
}

/** A time, a provider, and an account's name, which may contain a bar itself. */
const position = new RegExp(String.raw`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\|(${providerIdSchema.options.join('|')})\|([\x21-\x7e]{1,330})$`);

function readPosition(cursor: string | undefined): UnknownAccountPosition | undefined {
  const [, lastAt, provider, account] = position.exec(readCursor(cursor, position) ?? '') ?? [];
  return lastAt === undefined || account === undefined ? undefined : { lastAt, provider: providerIdSchema.parse(provider), account };
}
