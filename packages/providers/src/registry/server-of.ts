/** Which server an address leads to, as it stands in front of an account's number: host, port where it is not the standard one, and path, in lower case. */
export function serverOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname.replace(/\/+$/, '')}`.toLowerCase();
}
