import helmet, { type HelmetOptions } from 'helmet';
import type { ServerResponse } from 'node:http';

/** Helmet's headers, worked out once: they are the same for every answer. */
export function createSecurityHeaders(options: HelmetOptions = {}): (response: ServerResponse) => void {
  const headers: [string, string][] = [];
  // All that helmet uses of a response.
  const recorder = { setHeader: (name: string, value: string) => void headers.push([name, value]), removeHeader: () => undefined };
  helmet(options)({} as never, recorder as never, () => undefined);
  return (response) => {
    for (const [name, value] of headers) response.setHeader(name, value);
  };
}
