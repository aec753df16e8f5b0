import { createHmac, timingSafeEqual } from 'node:crypto';

export interface TokenSigner {
  /** A token for a URL path: base64url, a dot, base64url. The claims are readable by everybody, but not changeable. */
  sign(claims: Readonly<Record<string, string>>, expiresAt: Date): string;
  /** The claims, or undefined for a token that is expired, changed, of another purpose, or no token at all. Never throws. */
  verify(token: string): Record<string, string> | undefined;
}

/** Longest token that is looked at, in characters: claims are a few ids. */
const tokenLengthMax = 4096;

/** Signs links with HMAC-SHA-256. `purpose` separates tokens under one secret: one made for a file opens nothing else. */
export function createTokenSigner(options: { readonly secret: string; readonly purpose: string; readonly now?: () => Date }): TokenSigner {
  const key = createHmac('sha256', options.secret).update(`switchboard token: ${options.purpose}`).digest();
  const now = options.now ?? (() => new Date());
  const mac = (payload: string) => createHmac('sha256', key).update(payload).digest();

  return {
    sign(claims, expiresAt) {
      const payload = Buffer.from(JSON.stringify([Math.floor(expiresAt.getTime() / 1000), claims])).toString('base64url');
      return `${payload}.${mac(payload).toString('base64url')}`;
    },
    verify(token) {
      if (token.length > tokenLengthMax) return undefined;
      const dot = token.indexOf('.');
      const payload = token.slice(0, Math.max(dot, 0));
      const given = Buffer.from(token.slice(dot + 1), 'base64url');
      const expected = mac(payload);
      // The second form of the same bytes (padding, other alphabet) is refused too: one link has one spelling.
      if (given.length !== expected.length || !timingSafeEqual(given, expected) || expected.toString('base64url') !== token.slice(dot + 1)) return undefined;
      // The cast is safe: only `sign` makes a payload with this MAC.
      const [expiresAt, claims] = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as [number, Record<string, string>];
      return expiresAt * 1000 > now().getTime() ? claims : undefined;
    },
  };
}
