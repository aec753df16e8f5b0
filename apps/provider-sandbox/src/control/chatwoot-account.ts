import { siteOf } from '../chatwoot/chatwoot-api.ts';
import { ChatwootActions } from '../chatwoot/chatwoot-actions.ts';
import type { ChatwootWebhooks } from '../chatwoot/chatwoot-webhooks.ts';
import type { Answer, Exchange } from '../exchange.ts';
import type { SandboxState } from '../sandbox-state.ts';

export type ChatwootControl = { readonly state: SandboxState; readonly chatwootWebhooks: ChatwootWebhooks; readonly publicUrl: string; readonly now: () => Date };

/** The account that the first two names of a path mean, and what can be done there. */
export function accountAt({ state, publicUrl, chatwootWebhooks, now }: ChatwootControl, { match }: Pick<Exchange, 'match'>) {
  const site = siteOf(state, publicUrl, match[0] ?? '');
  const account = site?.store.account(Number(match[1]));
  if (site === undefined || account === undefined) return undefined;
  return { site, store: site.store, account, accountId: account.id, actions: new ChatwootActions(site, chatwootWebhooks, now) };
}

/** What was done, once the hub answered all webhooks that it caused. */
export async function doneAnswer(actions: ChatwootActions, json: Record<string, unknown>): Promise<Answer> {
  const deliveries = await actions.settled();
  return { status: 202, json: { ...json, attempts: deliveries.flatMap(({ attempts }) => attempts), deliveries } };
}
