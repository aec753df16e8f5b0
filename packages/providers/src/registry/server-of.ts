/**
 * Which server an address leads to, as it stands in front of an account's number: host, port where it is not the standard one, and path, in lower
 * case. The dot of the root is left out: with it the same server would have two names, and an account two owners.
 */
export function serverOf(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${hostname.replace(/\.$/, '')}${port === '' ? '' : `:${port}`}${pathname.replace(/\/+$/, '')}`.toLowerCase();
}
