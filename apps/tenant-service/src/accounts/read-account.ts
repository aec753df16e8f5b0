import { hubError } from '@switchboard/contracts';
import type { ProviderEntry } from '@switchboard/providers';
import { hostsOf, inSandbox, isAddressField } from '../domain/hosts-of.ts';
import { parseCredentials } from '../domain/parse-credentials.ts';
import type { Account } from '../providers/connect-strategy.ts';
import { findStrategy } from '../providers/find-strategy.ts';
import type { AccountDependencies } from './dependencies.ts';

/** A credentials form as it was posted → the account with the identifiers that follow from it, at the sandbox's addresses if it asks for that. Throws `request.invalid` with paths under `place`. */
export function readAccount({ config }: Pick<AccountDependencies, 'config'>, entry: ProviderEntry, form: Readonly<Record<string, unknown>>, place: string): Account {
  const { account, sandbox } = parseCredentials(entry, form, place);
  const identified = (of: Account) => findStrategy(entry.id)?.identify?.(of, hostsOf(entry, of)) ?? of;
  if (!sandbox) return identified(account);
  if (!config.sandboxEnabled) throw hubError('request.invalid', { issues: [{ path: `${place}.sandbox`, message: 'this installation has no sandbox' }] });
  return identified(inSandbox(entry, account, config.sandboxUrl));
}

/** Throws `egress.refused` for addresses of the tenant's own choice that nothing may be sent to. */
export async function assertAddressesAllowed({ egress }: Pick<AccountDependencies, 'egress'>, { settings }: Account): Promise<void> {
  // The platform chose the sandbox's.
  if (settings['sandbox'] === 'true') return;
  for (const [name, value] of Object.entries(settings)) {
    if (isAddressField(name)) await egress.assertAllowed(value);
  }
}
