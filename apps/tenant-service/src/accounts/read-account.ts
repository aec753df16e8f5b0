import { hubError } from '@switchboard/contracts';
import type { ProviderEntry } from '@switchboard/providers';
import { inSandbox } from '../domain/hosts-of.ts';
import { parseCredentials } from '../domain/parse-credentials.ts';
import type { Account } from '../providers/connect-strategy.ts';
import type { AccountDependencies } from './dependencies.ts';

/** A credentials form as it was posted → the account, at the sandbox's addresses if it asks for that. Throws `request.invalid` with paths under `place`, `egress.refused`. */
export async function readAccount({ config, egress }: Pick<AccountDependencies, 'config' | 'egress'>, entry: ProviderEntry, form: Readonly<Record<string, unknown>>, place: string): Promise<Account> {
  const { account, sandbox } = parseCredentials(entry, form, place);
  if (sandbox) {
    if (!config.sandboxEnabled) throw hubError('request.invalid', { issues: [{ path: `${place}.sandbox`, message: 'this installation has no sandbox' }] });
    return inSandbox(entry, account, config.sandboxUrl);
  }
  for (const [name, value] of Object.entries(account.settings)) {
    if (name.endsWith('BaseUrl')) await egress.assertAllowed(value);
  }
  return account;
}
