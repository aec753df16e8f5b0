/** The same database for another role: takes host, port, database and parameters from `adminUrl`. */
export function runtimeUrl(adminUrl: string, role: string, password: string): string {
  const url = new URL(adminUrl);
  url.username = encodeURIComponent(role);
  url.password = encodeURIComponent(password);
  return url.href;
}
