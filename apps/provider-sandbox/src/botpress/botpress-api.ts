import type { Answer, Exchange } from '../exchange.ts';
import type { SandboxState } from '../sandbox-state.ts';
import { chatApi } from './chat-api.ts';
import type { CloudBots } from './cloud-bots.ts';
import { filesApi } from './files-api.ts';
import { v12Api } from './v12-api.ts';

type Deps = { readonly state: SandboxState; readonly bots: CloudBots; readonly publicUrl: string; readonly now: () => Date };

/** Everything under /botpress. One prefix stands for three hosts, so a path tells which is meant: a v12 server's begin with /api/v1, those of Cloud's Files API with /v1. */
export function botpressApi(deps: Deps): (exchange: Exchange) => Promise<Answer> {
  const [chat, v12, files] = [chatApi(deps), v12Api(deps), filesApi(deps)];
  return async (exchange) => {
    const path = exchange.url.pathname.replace(/^\/botpress(\/v12(?=\/api\/v1\/)|\/files(?=\/))?/, '');
    if (path.startsWith('/api/v1/')) return v12(exchange, path);
    if (/^\/(v1|upload)\//.test(path)) return files(exchange, path);
    const [, webhookId = '', rest = '/'] = /^\/([^/]+)(\/.*)?$/.exec(path) ?? [];
    return chat(exchange, decodeURIComponent(webhookId), rest);
  };
}
