import type { Answer, Exchange } from '../exchange.ts';
import type { Caller } from './authenticate.ts';
import type { MessageLife } from './message-life.ts';
import { listOf, textOf, type Given, type Kinds } from './parameters.ts';
import { notFound, Refused } from './refusals.ts';
import type { TwilioAccount } from './rows.ts';
import type { TwilioStore } from './twilio-store.ts';

/** One authenticated call of Twilio's REST API with its checked parameters. */
export type Call = {
  readonly store: TwilioStore;
  readonly life: MessageLife;
  readonly caller: Caller;
  /** The account that is acted on: the path's in the 2010 API, the caller's own elsewhere. */
  readonly account: TwilioAccount;
  /** Of the form, or of the query for GET. */
  readonly given: Given;
  /** Of a JSON body. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly match: readonly string[];
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Exchange['headers'];
  /** Where the sandbox is reached, with /twilio. */
  readonly baseUrl: string;
  readonly now: Date;
};

/** An operation of Twilio's OpenAPI, by its operationId. A 2010 path begins behind `/2010-04-01/Accounts/{AccountSid}`. */
export type TwilioRoute = {
  readonly operation: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly parameters?: Kinds;
  /** The body is JSON. */
  readonly isJson?: true;
  /** API keys do not open it. */
  readonly tokenOnly?: true;
  readonly handle: (call: Call) => Answer | Promise<Answer>;
};

export const paging: Kinds = { PageSize: 'integer', Page: 'integer', PageToken: 'text' };

/** The thing that the path names; its absence is 20404. */
export function orMissing<Row>(row: Row | undefined, { path }: Pick<Call, 'path'>): Row {
  if (row === undefined) throw new Refused(notFound(path));
  return row;
}

function pageOf<Row>({ given }: Call, rows: readonly Row[]): { page: number; size: number; rows: readonly Row[]; start: number; hasNext: boolean } {
  const size = Math.min(Math.max(Number(textOf(given, 'PageSize') ?? 50), 1), 1000);
  const page = Math.max(Number(textOf(given, 'Page') ?? 0), 0);
  const start = page * size;
  return { page, size, rows: rows.slice(start, start + size), start, hasNext: rows.length > start + size };
}

/** A page of the 2010 API: addresses are paths. */
export function pageAnswer2010<Row>(call: Call, key: string, rows: readonly Row[], render: (row: Row) => unknown): Answer {
  const { page, size, rows: shown, start, hasNext } = pageOf(call, rows);
  const uri = (number: number) => `${call.path}?${queryOf(call, number, size)}`;
  return {
    status: 200,
    json: {
      [key]: shown.map(render),
      page,
      page_size: size,
      start,
      end: Math.max(start + shown.length - 1, 0),
      uri: uri(page),
      first_page_uri: uri(0),
      next_page_uri: hasNext ? uri(page + 1) : null,
      previous_page_uri: page > 0 ? uri(page - 1) : null,
    },
  };
}

/** A page of the newer APIs: addresses are URLs, in `meta`. */
export function pageAnswer<Row>(call: Call, key: string, rows: readonly Row[], render: (row: Row) => unknown): Answer {
  const { page, size, rows: shown, hasNext } = pageOf(call, rows);
  const url = (number: number) => `${call.baseUrl}${call.path}?${queryOf(call, number, size)}`;
  const meta = { page, page_size: size, first_page_url: url(0), previous_page_url: page > 0 ? url(page - 1) : null, url: url(page), next_page_url: hasNext ? url(page + 1) : null, key };
  return { status: 200, json: { meta, [key]: shown.map(render) } };
}

function queryOf({ given }: Call, page: number, size: number): string {
  const filters = Object.keys(given).filter((name) => paging[name] === undefined);
  const query = new URLSearchParams(filters.flatMap((name) => listOf(given, name).map((value): [string, string] => [name, value])));
  query.set('PageSize', String(size));
  query.set('Page', String(page));
  return query.toString();
}

/** `Mon, 16 Aug 2010 23:00:23 +0000` */
export const rfc2822 = (iso: string): string => new Date(iso).toUTCString().replace('GMT', '+0000');
/** `2010-08-16T23:00:23Z` */
export const isoTime = (iso: string): string => `${iso.slice(0, 19)}Z`;
