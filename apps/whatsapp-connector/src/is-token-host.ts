/** Hosts of Meta that files and the Graph API lie on (contract, section 8.3). A dot in front: its subdomains. */
const metaHosts = ['graph.facebook.com', 'lookaside.fbsbx.com', '.fbcdn.net'] as const;

/** Whether a URL that came in an answer may get the connection's token: https at Meta's own hosts, or the connection's own API address. Pure. */
export function isTokenHost(url: string, apiBaseUrl: string | undefined): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, origin, username } = new URL(url);
  if (username !== '') return false;
  if (apiBaseUrl !== undefined && URL.canParse(apiBaseUrl) && new URL(apiBaseUrl).origin === origin) return true;
  return protocol === 'https:' && metaHosts.some((host) => (host.startsWith('.') ? hostname.endsWith(host) : hostname === host));
}
