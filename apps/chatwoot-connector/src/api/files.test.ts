import { describe, expect, it } from '@jest/globals';
import type { EgressReply } from '@switchboard/service-kit';
import { fetchFile } from './files.ts';

type Seen = { readonly url: string; readonly token: string | undefined };

/** Hosts of a file: `answers` by address; everything else is 404. */
function world(answers: Readonly<Record<string, { status: number; location?: string; body?: string; unlessToken?: true }>>) {
  const seen: Seen[] = [];
  const request = async ({ url, headers }: { url: string; headers?: Readonly<Record<string, string>> }): Promise<EgressReply> => {
    const token = headers?.['api_access_token'];
    seen.push({ url, token });
    const { status, location, body = '', unlessToken } = answers[url] ?? { status: 404 };
    if (unlessToken === true && token === undefined) return { status: 401, headers: {}, body: Buffer.from('') };
    return { status, headers: location === undefined ? {} : { location }, body: Buffer.from(body) };
  };
  return { seen, fetch: (url: string) => fetchFile({ egress: { request }, apiUrl: 'https://cw.example.com/', accountId: '77', token: 'admin-token-1' }, url, 1_000) };
}

describe('an attachment', () => {
  it('is fetched where its redirects lead, and no stranger on the way sees the token', async () => {
    const { fetch, seen } = world({
      'https://cw.example.com/rails/a.jpg': { status: 302, location: '/rails/b.jpg', unlessToken: true },
      'https://cw.example.com/rails/b.jpg': { status: 302, location: 'https://bucket.example.net/b.jpg' },
      'https://bucket.example.net/b.jpg': { status: 200, body: 'bytes' },
    });
    await expect(fetch('https://cw.example.com/rails/a.jpg')).resolves.toMatchObject({ bytes: Buffer.from('bytes') });
    expect(seen.filter(({ token }) => token !== undefined).map(({ url }) => url)).toEqual(['https://cw.example.com/rails/a.jpg']);
  });

  it('is not looked for where a stranger who asks for the token has it', async () => {
    const { fetch, seen } = world({ 'https://cw.example.com/a': { status: 302, location: 'https://evil.example/a' }, 'https://evil.example/a': { status: 200, body: 'x', unlessToken: true } });
    await expect(fetch('https://cw.example.com/a')).rejects.toMatchObject({ code: 'media.unavailable' });
    expect(seen.every(({ token }) => token === undefined)).toBe(true);
  });

  it('is no way to what the token may see of the account, however the address leads there', async () => {
    const contacts = 'https://cw.example.com/api/v1/accounts/77/contacts';
    for (const disguised of [contacts, 'https://cw.example.com/rails/../api/v1/accounts/77/contacts', 'https://cw.example.com//api/v1/accounts/77/contacts']) {
      const answers = { 'https://evil.example/a': { status: 302, location: disguised }, [new URL(disguised).href]: { status: 200, body: 'everybody', unlessToken: true as const } };
      const { fetch, seen } = world(answers);
      await expect(fetch('https://evil.example/a')).rejects.toMatchObject({ code: 'media.unavailable' });
      expect(seen.every(({ token }) => token === undefined)).toBe(true);
    }
  });

  it('is given up after a few redirects', async () => {
    const { fetch, seen } = world({ 'https://cw.example.com/a': { status: 302, location: '/a' } });
    await expect(fetch('https://cw.example.com/a')).rejects.toMatchObject({ code: 'media.unavailable', retry: 'never' });
    expect(seen).toHaveLength(6);
  });

  it('that is not there yet is asked for again, and one that is gone is not', async () => {
    await expect(world({}).fetch('https://cw.example.com/a')).rejects.toMatchObject({ code: 'media.unavailable', retry: 'later' });
    await expect(world({ 'https://cw.example.com/a': { status: 410 } }).fetch('https://cw.example.com/a')).rejects.toMatchObject({ code: 'media.not_found', retry: 'never' });
  });
});
