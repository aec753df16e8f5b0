import { hubError } from '@switchboard/contracts';
import type { KeyProvider } from './port.ts';

/** The first wraps; the others only unwrap what they wrapped before, until everything is wrapped again (`rewrapDataKeys`). */
export function combineKeyProviders(current: KeyProvider, previous: readonly KeyProvider[]): KeyProvider {
  const all = [current, ...previous];
  return {
    currentKeyId: () => current.currentKeyId(),
    owns: (keyId) => all.some((provider) => provider.owns(keyId)),
    wrap: (dataKey, tenantId) => current.wrap(dataKey, tenantId),
    async unwrap(wrapped, tenantId) {
      const owner = all.find((provider) => provider.owns(wrapped.keyId));
      if (owner === undefined) throw hubError('secret.unreadable', { detail: { reason: 'unknown key-encryption key', keyId: wrapped.keyId } });
      return await owner.unwrap(wrapped, tenantId);
    },
  };
}
