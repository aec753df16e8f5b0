/** A reply with headers of its own. */
export class Reply<T> {
  readonly value: T;
  readonly headers: Readonly<Record<string, string>>;

  constructor(value: T, headers: Readonly<Record<string, string>>) {
    this.value = value;
    this.headers = headers;
  }
}

/** `return reply(tenant, { headers: { location: '/tenants/acme' } })` */
export function reply<T>(value: T, options: { readonly headers: Readonly<Record<string, string>> }): Reply<T> {
  return new Reply(value, options.headers);
}
