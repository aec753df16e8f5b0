import type { ContactRef, ProviderId } from '@switchboard/contracts';
import { phoneDigits, phoneKey } from './phone-key.ts';

/** One name of a contact at a provider. `key` is the form that is compared, `value` what the provider wrote. */
export type ContactAlias = { readonly key: string; readonly kind: string; readonly value: string };

/** Names that can pass from one person to another: they describe a contact and do not identify one. */
const describingKinds: ReadonlySet<string> = new Set(['username', 'name', 'email']);

/** Providers whose contacts are known by phone numbers. */
const phoneProviders: ReadonlySet<ProviderId> = new Set(['whatsapp', 'twilio']);

/** All names that identify this contact, the address first; two contacts that share a key are one. */
export function contactKeys(provider: ProviderId, contact: ContactRef): ContactAlias[] {
  const byKey = new Map<string, ContactAlias>();
  const named = Object.entries(contact.aliases).filter(([kind, value]) => !describingKinds.has(kind) && value.trim() !== '');
  // The provider's own word for a name says more than "address": it replaces it where both are the same.
  for (const [kind, value] of [['address', contact.address] as const, ...named]) {
    const key = (phoneProviders.has(provider) ? phoneKey(value) : undefined) ?? value.trim();
    byKey.set(key, { key, kind, value });
  }
  return [...byKey.values()];
}

/** A contact's address as it is given to other providers: phone numbers as bare digits, so that every way to write it makes one thread. */
export function stableAddress(provider: ProviderId, address: string): string {
  return (phoneProviders.has(provider) ? phoneDigits(address) : undefined) ?? address.trim();
}
