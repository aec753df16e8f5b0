import type { ProviderEntry } from '@switchboard/providers';
import type { Account } from '../providers/connect-strategy.ts';

type Form = Readonly<Record<string, unknown>>;

/** Which fields a change may name: those that are not secret, or all; never those that name the account. */
export type ChangedPart = 'settings' | 'credentials';

export type ChangedForm = { readonly kind: 'form'; readonly form: Form } | { readonly kind: 'refused'; readonly issues: readonly { readonly path: string; readonly message: string }[] };

/**
 * The credentials form of an account as it would be posted today, with some fields changed (null: left out from now on). `generated`: fields that the
 * hub made or learned; they are left out unless given. `fixed`: fields that name the account besides its identifiers. Pure.
 */
export function changeForm(entry: ProviderEntry, account: Account, { generated, fixed }: { readonly generated: readonly string[]; readonly fixed: readonly string[] }, part: ChangedPart, changes: Form): ChangedForm {
  const known: Readonly<Record<string, string>> = { ...account.settings, ...account.routingIdentifiers, ...account.credentials };
  const issues = Object.entries(changes).flatMap(([name, value]) => {
    const message = faultOf(entry, part, name, value, known, fixed);
    return message === undefined ? [] : [{ path: `body.${part}.${name}`, message }];
  });
  if (issues.length > 0) return { kind: 'refused', issues };

  // Addresses belong together: who gives one gives all of them, or the provider's own count.
  const givesAddress = Object.keys(changes).some(isAddress);
  const isKept = (name: string) => Object.hasOwn(entry.credentials.shape, name) && !generated.includes(name) && !(isAddress(name) && (givesAddress || known['sandbox'] === 'true'));
  const kept = Object.entries(known).filter(([name]) => isKept(name)).map(([name, value]): [string, unknown] => [name, asPosted(entry, name, value)]);
  const sandbox = !givesAddress && known['sandbox'] === 'true' ? { sandbox: true } : {};
  const form = { ...Object.fromEntries(kept), ...sandbox, ...changes };
  return { kind: 'form', form: Object.fromEntries(Object.entries(form).filter(([, value]) => value !== null)) };
}

function faultOf(entry: ProviderEntry, part: ChangedPart, name: string, value: unknown, known: Readonly<Record<string, string>>, fixed: readonly string[]): string | undefined {
  if (!Object.hasOwn(entry.credentials.shape, name)) return 'is not a known field';
  const isRouting = fixed.includes(name) || entry.routingFields.includes(name) || entry.sharedRoutingFields.includes(name);
  // Kept as text, given as whatever it is.
  if (isRouting && String(value) !== known[name]) return 'names the account and cannot change; connect the other account as a connection of its own';
  if (part === 'settings' && entry.secretFields.includes(name)) return 'is secret; give it to POST …/rotate';
  return undefined;
}

function isAddress(name: string): boolean {
  return name === 'sandbox' || name.endsWith('BaseUrl');
}

/** Accounts are kept as text; a form has numbers too. */
function asPosted(entry: ProviderEntry, name: string, value: string): unknown {
  const field = entry.credentials.shape[name];
  return field !== undefined && !field.safeParse(value).success && field.safeParse(Number(value)).success ? Number(value) : value;
}
