import type { Account, Learned } from './connect-strategy.ts';

type Part = Readonly<Record<string, string>> | undefined;

/** What was learned in several steps as one; the last word counts. */
export function mergeLearned(all: readonly Learned[]): Learned {
  const merge = (part: keyof Account): Record<string, string> => Object.fromEntries(all.flatMap((one) => Object.entries(one[part] ?? {})));
  return { routingIdentifiers: merge('routingIdentifiers'), settings: merge('settings'), credentials: merge('credentials') };
}

/** The account with what was learned; an empty text is what holds no more. */
export function withLearned(account: Account, learned: Learned | undefined): Account {
  const merge = (known: Part, news: Part): Record<string, string> => Object.fromEntries(Object.entries({ ...known, ...news }).filter(([name, value]) => value !== '' || news?.[name] === undefined));
  return {
    routingIdentifiers: merge(account.routingIdentifiers, learned?.routingIdentifiers),
    settings: merge(account.settings, learned?.settings),
    credentials: merge(account.credentials, learned?.credentials),
  };
}
