import type { ItemOf, Operation, OperationInput } from './operation-types.ts';
import { operationNames, routeOf, type Operations } from './operations.ts';
import { sendRequest, type Transport } from './send-request.ts';

export type SwitchboardOptions = {
  /** The gateway, such as `https://api.example.com`. */
  readonly baseUrl: string;
  /** A machine's credential, or else `accessToken`, a member's session: the token, or a function that gives a fresh one. */
  readonly apiKey?: string;
  readonly accessToken?: string | (() => string | Promise<string>);
  /** Milliseconds for one answer. Default 30 000. */
  readonly timeoutMs?: number;
  /** Repetitions of a call that can be repeated. Default 2. */
  readonly retriesMax?: number;
  readonly fetch?: typeof fetch;
};

type Paged = { [Name in keyof Operations]: ItemOf<Operations[Name]> extends never ? never : Name }[keyof Operations];

export type Switchboard = { readonly [Name in keyof Operations]: Operation<Operations[Name]> } & {
  /** All items of a list, page after page: `for await (const conversation of hub.each('listConversations'))`. */
  each<Name extends Paged>(name: Name, input?: OperationInput<Operations[Name]>): AsyncGenerator<ItemOf<Operations[Name]>, void, undefined>;
};

const timeoutDefaultMs = 30_000;
const retriesDefault = 2;

/** A client with one method a route. Without a credential it logs people in and no more; throws a TypeError when it gets two. */
export function createSwitchboard(options: SwitchboardOptions): Switchboard {
  if (options.apiKey !== undefined && options.accessToken !== undefined) throw new TypeError('Give either apiKey or accessToken.');
  const transport: Transport = {
    baseUrl: options.baseUrl.replace(/\/+$/, ''),
    headers: async () => credentialOf(options),
    fetch: options.fetch ?? fetch,
    timeoutMs: options.timeoutMs ?? timeoutDefaultMs,
    retriesMax: options.retriesMax ?? retriesDefault,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  };
  const call = (name: keyof Operations, input: object = {}, callOptions = {}) => sendRequest(transport, routeOf(name), input, callOptions);
  const methods = Object.fromEntries(operationNames.map((name) => [name, (input?: object, callOptions?: object) => call(name, input, callOptions)]));

  async function* each(name: Paged, input: { readonly query?: object } = {}) {
    let cursor: string | undefined;
    do {
      // Every paged route takes a cursor and answers pages; the type `Paged` picked them by their reply.
      const page = (await call(name, { ...input, query: { ...input.query, ...(cursor === undefined ? {} : { cursor }) } })) as { data: unknown[]; nextCursor: string | null };
      yield* page.data;
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }
  // The casts are safe: one method for each name, whose types are those of its contract.
  return { ...methods, each } as unknown as Switchboard;
}

async function credentialOf({ apiKey, accessToken }: SwitchboardOptions): Promise<Record<string, string>> {
  if (apiKey !== undefined) return { 'x-api-key': apiKey };
  if (accessToken === undefined) return {};
  return { authorization: `Bearer ${typeof accessToken === 'function' ? await accessToken() : accessToken}` };
}
