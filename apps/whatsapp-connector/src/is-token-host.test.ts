import { describe, expect, it } from '@jest/globals';
import { isTokenHost } from './is-token-host.ts';

describe('the token of a connection', () => {
  it.each(['https://graph.facebook.com/v25.0/1', 'https://GRAPH.facebook.com/1', 'https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1', 'https://scontent-fra3-1.xx.fbcdn.net/v/t1'])('may go to %s', (url) => {
    expect(isTokenHost(url, undefined)).toBe(true);
  });

  it.each([
    ['the same host unencrypted', 'http://graph.facebook.com/1'],
    ['files unencrypted', 'http://scontent.fbcdn.net/1'],
    ['a host that ends alike', 'https://evilgraph.facebook.com/1'],
    ['a host below', 'https://x.graph.facebook.com/1'],
    ['a host that ends like a domain of files', 'https://evilfbcdn.net/1'],
    ['the bare domain of files', 'https://fbcdn.net/1'],
    ['a host that begins alike', 'https://graph.facebook.com.example.test/1'],
    ['a host behind a name', 'https://graph.facebook.com@example.test/1'],
    ['a name and password', 'https://user:secret@graph.facebook.com/1'],
    ['a path that looks like a host', 'https://example.test/graph.facebook.com'],
    ['another scheme', 'ftp://graph.facebook.com/1'],
    ['a scheme without a host', 'data:text/plain,graph.facebook.com'],
    ['no URL', 'graph.facebook.com/1'],
    ['nothing', ''],
  ])('goes not to %s', (_, url) => {
    expect(isTokenHost(url, undefined)).toBe(false);
  });

  it('may go to the connection\'s own address of the API, whatever its scheme, and to no other port of it', () => {
    const own = 'http://127.0.0.1:8081/whatsapp';
    expect(isTokenHost('http://127.0.0.1:8081/file/1', own)).toBe(true);
    for (const url of ['http://127.0.0.1:8082/file/1', 'https://127.0.0.1:8081/file/1', 'http://127.0.0.1/file/1', 'http://user@127.0.0.1:8081/file/1']) expect(isTokenHost(url, own)).toBe(false);
  });

  it('stays at home when the connection\'s address is no URL', () => {
    expect(isTokenHost('https://example.test/1', 'not a URL')).toBe(false);
  });
});
