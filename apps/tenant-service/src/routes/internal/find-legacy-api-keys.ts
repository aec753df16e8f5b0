import { findLegacyApiKeys } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';
import type { Dependencies } from '../../app.ts';

export function findLegacyApiKeysRoute({ apiKeys }: Dependencies): Route {
  return defineRoute(findLegacyApiKeys, () => runAsSystem('whether any tenant has such a key is what is asked for', async () => ({ any: await apiKeys.hasLegacy() })));
}
