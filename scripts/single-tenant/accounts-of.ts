import type { ProviderId } from '../../packages/contracts/src/index.ts';

/** What an old deployment knew of an account at a provider, under the names of our credentials form. Some of it is secret. */
export type OldAccount = { readonly provider: ProviderId; readonly fields: Readonly<Record<string, string>> };

/** Names that old deployments gave to the fields, without case and signs; the form's own name always counts. */
const fieldNames: Readonly<Partial<Record<ProviderId, Readonly<Record<string, readonly string[]>>>>> = {
  whatsapp: {
    accessToken: ['token', 'metaaccesstoken', 'whatsappaccesstoken', 'whatsapptoken', 'systemusertoken'],
    phoneNumberId: ['metaphonenumberid', 'whatsappphonenumberid'],
    wabaId: ['metawabaid', 'whatsappwabaid', 'whatsappbusinessaccountid', 'metabusinessaccountid'],
    appSecret: ['metaappsecret', 'whatsappappsecret', 'facebookappsecret'],
    verifyToken: ['metaverifytoken', 'whatsappverifytoken', 'webhookverifytoken', 'metawebhookverifytoken'],
    apiVersion: ['metaapiversion', 'whatsappapiversion', 'graphapiversion', 'metagraphapiversion'],
  },
  genesys: {
    clientId: ['genesysclientid'],
    clientSecret: ['genesysclientsecret'],
    region: ['genesysregion', 'genesysenvironment', 'environment'],
    integrationId: ['genesysintegrationid', 'openmessagingintegrationid', 'genesysopenmessagingintegrationid'],
    webhookSecret: ['genesyswebhooksecret', 'signaturesecret', 'outboundnotificationwebhooksignaturesecrettoken'],
  },
};

const providerWords: Readonly<Record<string, ProviderId>> = { meta: 'whatsapp', whatsapp: 'whatsapp', whatsappcloud: 'whatsapp', metawhatsapp: 'whatsapp', genesys: 'genesys', genesyscloud: 'genesys' };

export const importedProviders = ['whatsapp', 'genesys'] as const satisfies readonly ProviderId[];

/** The provider that an old `credential_type` means. */
export function findOldProvider(type: string): ProviderId | undefined {
  return providerWords[plain(type)];
}

/** The fields of the provider's form, in whatever names the old deployment used; `unknown` names those that nothing is known of. */
export function readFields(provider: ProviderId, values: Readonly<Record<string, unknown>>): { fields: Record<string, string>; unknown: string[] } {
  const names = Object.entries(fieldNames[provider] ?? {});
  const fields: Record<string, string> = {};
  const unknown: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    if ((typeof value !== 'string' && typeof value !== 'number') || String(value).trim() === '') continue;
    const field = names.find(([known, others]) => known.toLowerCase() === plain(name) || others.includes(plain(name)))?.[0];
    if (field === undefined) unknown.push(name);
    else fields[field] = String(value).trim();
  }
  return { fields, unknown };
}

/** What every number of one Meta app, and every integration of one Genesys organisation, has in common. */
const sharedFields: readonly string[] = ['appSecret', 'verifyToken', 'region'];

/** The part of an account that is the others' too; not which account it is, and not what calls the provider in its name. */
export function sharedOf({ provider, fields }: OldAccount): OldAccount {
  return { provider, fields: Object.fromEntries(Object.entries(fields).filter(([name]) => sharedFields.includes(name))) };
}

/** Accounts of one tenant put together: rows about the same number or integration are one account, what a row lacks comes from the defaults. */
export function mergeAccounts(accounts: readonly OldAccount[], defaults: readonly OldAccount[]): OldAccount[] {
  return importedProviders.flatMap((provider) => {
    const key = provider === 'whatsapp' ? 'phoneNumberId' : 'integrationId';
    const fallback: Record<string, string> = {};
    for (const account of defaults) if (account.provider === provider) Object.assign(fallback, account.fields);
    const own = accounts.filter((account) => account.provider === provider).map(({ fields }) => fields);
    const isAccount = fallback[key] !== undefined || fallback['clientId'] !== undefined;
    const merged: Record<string, string>[] = [];
    for (const fields of own.length === 0 && isAccount ? [fallback] : own) {
      // A row that names no account adds to the only one there is.
      const same = merged.find((known) => fields[key] === undefined || known[key] === undefined || known[key] === fields[key]);
      if (same === undefined) merged.push({ ...fields });
      else Object.assign(same, fields);
    }
    return merged.map((fields) => {
      const isOther = fields[key] !== undefined && fallback[key] !== undefined && fields[key] !== fallback[key];
      const taken = Object.entries(fallback).filter(([name]) => !isOther || sharedFields.includes(name));
      return { provider, fields: { ...Object.fromEntries(taken), ...fields } };
    });
  });
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}
