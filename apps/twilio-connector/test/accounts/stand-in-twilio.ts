import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What an account at Twilio has, as its REST API answers it (twilio-oai, api/v2010). */
export type StandInAccount = {
  readonly authToken: string;
  usageRecords: Record<string, unknown>[];
  messages: Record<string, unknown>[];
  media: Record<string, { readonly sid: string; readonly content_type: string }[]>;
  /** Answered to whatever is asked, while it is set. */
  refusal?: { readonly status: number; readonly code: number; readonly message: string } | undefined;
  /** To the next message that is created. */
  nextSend?: { readonly status: number; readonly code: number } | undefined;
};

export type StandInTwilio = Awaited<ReturnType<typeof startStandInTwilio>>;

/** Twilio's REST API of 2010-04-01, as far as the connector reads it, and creating messages. Who comes with another account's token gets 401. */
export async function startStandInTwilio() {
  const accounts = new Map<string, StandInAccount>();
  const requests: { readonly method: string; readonly path: string; readonly query: URLSearchParams; readonly form: URLSearchParams }[] = [];
  let made = 0;
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '', 'http://stand-in');
    const form = new URLSearchParams(await textOf(request));
    requests.push({ method: request.method ?? '', path: url.pathname, query: url.searchParams, form });
    const [, accountSid = '', rest = ''] = /^\/2010-04-01\/Accounts\/(AC[0-9a-f]{32})\/(.+)$/.exec(url.pathname) ?? [];
    const account = accounts.get(accountSid);
    const answer = (status: number, body: object) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const authorization = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString();
    if (account === undefined || authorization !== `${accountSid}:${account.authToken}`) return answer(401, { code: 20003, message: 'Authenticate', status: 401 });
    if (account.refusal !== undefined) return answer(account.refusal.status, account.refusal);
    if (request.method === 'POST' && rest === 'Messages.json') {
      const refused = account.nextSend;
      account.nextSend = undefined;
      if (refused !== undefined) return answer(refused.status, { ...refused, message: 'refused' });
      made += 1;
      return answer(201, { sid: `SM${String(made).padStart(32, '0')}`, status: 'queued' });
    }
    if (rest === 'Usage/Records.json') return answer(200, paged('usage_records', account.usageRecords, url));
    if (rest === 'Messages.json') return answer(200, paged('messages', account.messages, url));
    if (/^Messages\/\w+\/Media\/\w+$/.test(rest)) return response.writeHead(200, { 'content-type': 'image/png' }).end('a picture');
    const [, sid = '', isMedia] = /^Messages\/(\w+)(\/Media)?\.json$/.exec(rest) ?? [];
    if (isMedia !== undefined) return answer(200, paged('media_list', account.media[sid] ?? [], url));
    const message = account.messages.find((one) => one['sid'] === sid);
    return message === undefined ? answer(404, { code: 20404, message: 'not found', status: 404 }) : answer(200, message);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    url: `http://127.0.0.1:${port}`,
    accounts,
    requests,
    open(accountSid: string, authToken: string): StandInAccount {
      const account: StandInAccount = { authToken, usageRecords: [], messages: [], media: {} };
      accounts.set(accountSid, account);
      return account;
    },
    sent: () => requests.filter(({ method }) => method === 'POST').map(({ form }) => Object.fromEntries(form)),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

/** Two rows a page, so that whoever reads one page alone is found out. */
const pageRows = 2;

function paged(name: string, rows: readonly object[], { pathname, searchParams }: URL): object {
  const page = Number(searchParams.get('Page') ?? '0');
  const next = new URLSearchParams(searchParams);
  next.set('Page', String(page + 1));
  const data = rows.slice(page * pageRows, (page + 1) * pageRows);
  return { [name]: data, page, page_size: pageRows, next_page_uri: rows.length > (page + 1) * pageRows ? `${pathname}?${next.toString()}` : null };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
