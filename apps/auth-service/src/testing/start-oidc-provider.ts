import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export type OidcClient = { readonly client_id: string; readonly client_secret: string; readonly redirect_uris: readonly string[] };
export type OidcProvider = {
  readonly issuer: string;
  /** Where a browser ends up outside of the provider that goes to `url` and logs in there; nobody logs in without an e-mail address. */
  readonly visit: (url: string, account?: { readonly email: string; readonly isVerified?: boolean }) => Promise<URL>;
  readonly stop: () => void;
};

/** Starts `run-oidc-provider.ts`. */
export async function startOidcProvider(clients: readonly OidcClient[]): Promise<OidcProvider> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('run-oidc-provider.ts', import.meta.url)), JSON.stringify(clients)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const issuer = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => (line.startsWith('http') ? resolve(line) : undefined));
    child.once('exit', () => reject(new Error('the identity provider did not start')));
  });
  return {
    issuer,
    async visit(start, account) {
      const cookies = new Map<string, string>();
      if (account !== undefined) cookies.set('account', encodeURIComponent(`sub,${account.email},${account.isVerified ?? true}`));
      let url = new URL(start);
      for (let hop = 0; url.origin === issuer && hop < 10; hop++) {
        const response = await fetch(url, { redirect: 'manual', headers: { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') } });
        for (const cookie of response.headers.getSetCookie()) {
          const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
          cookies.set(name, value);
        }
        const location = response.headers.get('location');
        if (location === null) throw new Error(`the provider answered ${response.status}: ${await response.text()}`);
        url = new URL(location, url);
      }
      return url;
    },
    stop: () => void child.kill(),
  };
}
