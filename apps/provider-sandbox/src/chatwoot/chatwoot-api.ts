import { findRoute, type Answer, type Exchange } from '../exchange.ts';
import type { SandboxState } from '../sandbox-state.ts';
import { accountRoutes } from './account-routes.ts';
import { authenticate } from './authenticate.ts';
import { readParams, type CallRoute } from './call.ts';
import { ChatwootActions } from './chatwoot-actions.ts';
import { ChatwootStore } from './chatwoot-store.ts';
import type { ChatwootWebhooks } from './chatwoot-webhooks.ts';
import { contactRoutes } from './contact-routes.ts';
import { conversationRoutes } from './conversation-routes.ts';
import { inboxRoutes } from './inbox-routes.ts';
import { messageRoutes } from './message-routes.ts';
import { answerPublic } from './public-routes.ts';
import { notAllowed, Refused, throttled } from './refusals.ts';
import type { Site } from './render-people.ts';

/** The server at /chatwoot; others have a path of their own. */
export const mainServer = 'main';

type Deps = { readonly state: SandboxState; readonly webhooks: ChatwootWebhooks; readonly publicUrl: string; readonly now: () => Date };

const routes: readonly CallRoute[] = [...conversationRoutes, ...messageRoutes, ...contactRoutes, ...inboxRoutes, ...accountRoutes];

const noRoute = (): Answer => ({ status: 404, json: { status: 404, error: 'Not Found' } });

/** A server with its address; undefined when nobody made an account there. */
export function siteOf(state: SandboxState, publicUrl: string, name: string): Site | undefined {
  const server = state.get('chatwootServer', name);
  return server && { store: new ChatwootStore(state, server), baseUrl: `${publicUrl}/chatwoot${name === mainServer ? '' : `/s/${name}`}` };
}

/** Everything under /chatwoot: one Chatwoot installation for each server name. */
export function chatwootApi({ state, webhooks, publicUrl, now }: Deps): (exchange: Exchange) => Answer {
  return (exchange) => {
    const [, name = mainServer, path = '/'] = /^\/chatwoot(?:\/s\/([^/]+))?(\/.*)?$/.exec(exchange.url.pathname) ?? [];
    const site = siteOf(state, publicUrl, name);
    if (site === undefined) return noRoute();
    const { store } = site;
    if (store.server.callsPerMinute > 0 && !store.within('calls', 0, store.server.callsPerMinute, now())) return throttled();
    if (exchange.method === 'GET' && path === '/api') {
      return { status: 200, json: { version: store.server.version, timestamp: now().toISOString().slice(0, 19).replace('T', ' '), queue_services: 'ok', data_services: 'ok' } };
    }
    const file = /^\/rails\/active_storage\/(blobs\/redirect|representations\/redirect|disk)\/([^/]+)\/(.+)$/.exec(path);
    if (file && exchange.method === 'GET') return fileAnswer(site, file[1] === 'disk', file[2] ?? '', file[3] ?? '');
    const open = orRefused(() => answerPublic(site, new ChatwootActions(site, webhooks, now), exchange, path, now()));
    if (open !== undefined) return open;
    const call = /^\/api\/v1\/accounts\/(\d+)(\/.*)?$/.exec(path);
    const found = call && findRoute(routes, exchange.method, (call[2] ?? '').replace(/\/$/, ''));
    if (!call || !found) return noRoute();
    const answer = answerCall(site, Number(call[1]), found.route, { ...exchange, match: found.match }, webhooks, now);
    if (exchange.method !== 'GET') {
      const by = store.token(String(exchange.headers['api_access_token'] ?? exchange.headers['api-access-token'] ?? ''));
      const params = readParams(exchange);
      state.push('chatwootReceived', `${name}/${call[1]}`, {
        at: now().toISOString(),
        method: exchange.method,
        path: call[2] ?? '',
        by: by === undefined ? 'nobody' : `${by.kind} ${by.id}`,
        body: { ...params?.fields, ...(params?.files.length ? { files: params.files.map(({ name: field, fileName, contentType, bytes }) => ({ field, fileName, contentType, size: bytes.length })) } : {}) },
        status: answer.status,
      });
    }
    return answer;
  };
}

function answerCall(site: Site, accountId: number, route: CallRoute, exchange: Exchange, webhooks: ChatwootWebhooks, now: () => Date): Answer {
  const entry = authenticate(site.store, exchange, accountId, route.bots);
  if ('status' in entry) return entry;
  if (route.admin === true && !(entry.caller.kind === 'user' && entry.caller.user.role === 'administrator')) return notAllowed();
  const params = readParams(exchange);
  if (params === undefined) return { status: 400, json: { status: 400, error: 'Bad Request' } };
  // The webhooks that follow go out by themselves: an answer never waits for them.
  const actions = new ChatwootActions(site, webhooks, now);
  return orRefused(() => route.handle({ site, store: site.store, actions, ...entry, query: exchange.url.searchParams, params, match: exchange.match, now: now() }));
}

function orRefused<T>(act: () => T): T | Answer {
  try {
    return act();
  } catch (error) {
    if (error instanceof Refused) return error.answer;
    throw error;
  }
}

/** `data_url` leads to a redirect, and that to the file. */
function fileAnswer({ store, baseUrl }: Site, isFile: boolean, signedId: string, fileName: string): Answer {
  const blob = store.blob(signedId);
  if (blob === undefined) return { status: 404 };
  if (!isFile) return { status: 302, headers: { location: `${baseUrl}/rails/active_storage/disk/${signedId}/${fileName}` } };
  return { status: 200, bytes: Buffer.from(blob.base64, 'base64'), headers: { 'content-type': blob.contentType } };
}
