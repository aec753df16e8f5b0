import { findRoute, jsonObjectOf, type Answer, type Exchange } from '../exchange.ts';
import type { SandboxState } from '../sandbox-state.ts';
import { accountRoutes, keyRoutes } from './account-routes.ts';
import { accountInPath, authenticate, basicOf } from './authenticate.ts';
import type { Call, TwilioRoute } from './call.ts';
import { contentRoutes } from './content-routes.ts';
import { answerFile, fileRoutes } from './file-routes.ts';
import type { MessageLife } from './message-life.ts';
import { messageRoutes } from './message-routes.ts';
import { numberRoutes } from './number-routes.ts';
import { readParameters } from './parameters.ts';
import { notAllowed, notFound, refusal, Refused } from './refusals.ts';
import { senderRoutes } from './sender-routes.ts';
import { serviceRoutes } from './service-routes.ts';
import { tokenRoutes } from './token-routes.ts';
import { TwilioStore } from './twilio-store.ts';
import { usageRoutes } from './usage-routes.ts';

type Deps = { readonly state: SandboxState; readonly life: MessageLife; readonly publicUrl: string; readonly now: () => Date };

type Served = TwilioRoute & { readonly isOld: boolean };

/** Every operation, with its path behind /twilio. */
export const twilioRoutes: readonly Served[] = [
  ...accountRoutes.map((route) => ({ ...route, isOld: true, path: `/2010-04-01/Accounts${route.path}` })),
  ...[...keyRoutes, ...numberRoutes, ...messageRoutes, ...fileRoutes, ...usageRoutes].map((route) => ({ ...route, isOld: true, path: `/2010-04-01/Accounts/:account${route.path}` })),
  ...[...contentRoutes, ...serviceRoutes, ...senderRoutes, ...tokenRoutes].map((route) => ({ ...route, isOld: false })),
];

/** Everything under /twilio: all of Twilio's hosts, whose paths do not meet. */
export function twilioApi({ state, life, publicUrl, now }: Deps): (exchange: Exchange) => Promise<Answer> {
  const store = new TwilioStore(state);

  const answerCall = async (exchange: Exchange, path: string): Promise<Answer> => {
    const file = answerFile(store, exchange, path);
    if (file !== undefined) return file;
    const found = findRoute(twilioRoutes, exchange.method, path);
    if (found === undefined) return authenticate(store, exchange) && notFound(path);
    const { route, match } = found;
    const caller = authenticate(store, exchange);
    if (route.tokenOnly === true && caller.by === 'key') return notAllowed();
    // Of the 2010 API's paths the first name is the account's.
    const account = route.isOld && match[0] !== undefined ? accountInPath(store, caller, match[0], path, route.tokenOnly === true) : caller.account;
    const isForm = exchange.method !== 'GET' && route.isJson !== true;
    const json = route.isJson === true ? jsonObjectOf(exchange) : {};
    if (json === undefined) return refusal(400, 20001, 'The body is no JSON object');
    if (isForm && exchange.body.length > 0 && !/^application\/x-www-form-urlencoded\b/i.test(exchange.headers['content-type'] ?? '')) return refusal(415, 20001, 'Send application/x-www-form-urlencoded');
    const entries = exchange.method === 'GET' ? exchange.url.searchParams : new URLSearchParams(isForm ? exchange.body.toString('utf8') : '');
    const given = readParameters(entries, route.isJson === true ? {} : (route.parameters ?? {}));
    const call: Call = { store, life, caller, account, given, json, match, path, query: exchange.url.searchParams, headers: exchange.headers, baseUrl: `${publicUrl}/twilio`, now: now() };
    return await route.handle(call);
  };

  return async (exchange) => {
    const path = exchange.url.pathname.replace(/^\/twilio/, '');
    const answer = await orRefused(() => answerCall(exchange, path));
    if (exchange.method !== 'GET') keep(exchange, path, answer);
    return answer;
  };

  /** Of calls that could change something: shown by the control API, without the secret that they came with. */
  function keep(exchange: Exchange, path: string, answer: Answer): void {
    const by = basicOf(exchange)?.user ?? 'nobody';
    const accountSid = /^\/2010-04-01\/Accounts\/(AC[0-9a-f]{32})/i.exec(path)?.[1] ?? (by.startsWith('SK') ? (store.state.all('twilioKey').find(({ sid }) => sid === by)?.accountSid ?? by) : by);
    const parameters: Record<string, unknown> = jsonObjectOf(exchange) ?? {};
    if (Object.keys(parameters).length === 0) {
      for (const [name, value] of new URLSearchParams(exchange.body.toString('utf8'))) parameters[name] = name in parameters ? [parameters[name], value].flat() : value;
    }
    state.push('twilioReceived', accountSid, { at: now().toISOString(), method: exchange.method, path, by, parameters, status: answer.status });
  }
}

async function orRefused(act: () => Promise<Answer>): Promise<Answer> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Refused) return error.answer;
    throw error;
  }
}
