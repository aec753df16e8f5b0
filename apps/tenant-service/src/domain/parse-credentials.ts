import { hubError } from '@switchboard/contracts';
import type { ProviderEntry } from '@switchboard/providers';
import type { Account } from '../providers/connect-strategy.ts';

export type PostedCredentials = { readonly account: Account; readonly sandbox: boolean };

/** A credentials form as it was posted → the account in its parts. Throws `request.invalid` with the fields that are wrong (under `place`), never with what they held. */
export function parseCredentials(entry: ProviderEntry, form: Readonly<Record<string, unknown>>, place = 'body.credentials'): PostedCredentials {
  const parsed = entry.credentials.safeParse(form);
  if (!parsed.success) {
    throw hubError('request.invalid', {
      issues: parsed.error.issues.flatMap((issue) =>
        issue.code === 'unrecognized_keys'
          ? issue.keys.map((key) => ({ path: `${place}.${key}`, message: 'is not a known field' }))
          : [{ path: [place, ...issue.path.map(String)].join('.'), message: issue.message }],
      ),
    });
  }
  const faults = entry.faultsOf?.(parsed.data) ?? [];
  if (faults.length > 0) throw hubError('request.invalid', { issues: faults.map(({ path, message }) => ({ path: `${place}.${path}`, message })) });
  const { sandbox, ...fields } = parsed.data;
  const given = Object.entries(fields).filter(([, value]) => value !== undefined).map(([name, value]): [string, string] => [name, asText(value)]);
  const isRouting = (name: string) => entry.routingFields.includes(name) || entry.sharedRoutingFields.includes(name);
  const isSecret = (name: string) => entry.secretFields.includes(name);
  return {
    account: {
      routingIdentifiers: Object.fromEntries(given.filter(([name]) => isRouting(name))),
      settings: Object.fromEntries(given.filter(([name]) => !isRouting(name) && !isSecret(name))),
      credentials: Object.fromEntries(given.filter(([name]) => isSecret(name))),
    },
    sandbox: sandbox === true,
  };
}

/** Accounts are kept as text; the form takes it back as such. */
function asText(value: unknown): string {
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
