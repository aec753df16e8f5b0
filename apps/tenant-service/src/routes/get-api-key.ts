import { getApiKey, hubError } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';
import { apiKeyRecord } from '../domain/api-key-record.ts';

export function getApiKeyRoute({ tenants, apiKeys, now }: Dependencies): Route {
  return defineRoute(getApiKey, async ({ params }) => {
    await tenants.load();
    const key = await apiKeys.findOwn(params.keyId);
    if (key === undefined) throw hubError('api_key.not_found');
    return apiKeyRecord(key, now());
  });
}
