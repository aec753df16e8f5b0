export type ReplyOptions = {
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of the contract's: 200 where a creation found what it would have made. */
  readonly status?: 200 | 201 | 202;
};

/** A reply with headers or a status of its own. */
export class Reply<T> {
  readonly value: T;
  readonly options: ReplyOptions;

  constructor(value: T, options: ReplyOptions) {
    this.value = value;
    this.options = options;
  }
}

/** `return reply(tenant, { headers: { location: '/tenants/acme' } })` */
export function reply<T>(value: T, options: ReplyOptions): Reply<T> {
  return new Reply(value, options);
}
