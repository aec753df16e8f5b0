import { listApiKeys } from '@switchboard/contracts';
import { defineRoute, pageOfRows, readCursor, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';
import { apiKeyRecord } from '../domain/api-key-record.ts';

export function listApiKeysRoute({ tenants, apiKeys, now }: Dependencies): Route {
  return defineRoute(listApiKeys, async ({ query: { limit, cursor } }) => {
    await tenants.load();
    const page = pageOfRows(await apiKeys.list(limit + 1, readCursor(cursor)), limit, (key) => key.keyId);
    return { ...page, data: page.data.map((key) => apiKeyRecord(key, now())) };
  });
}
