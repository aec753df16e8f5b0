import { describe, expect, it } from '@jest/globals';
import { runAsTenant } from '@switchboard/tenant-context';
import { testTenants } from '@switchboard/testing';
import { createMediaLinks } from './create-media-links.ts';

const [acme] = testTenants;
const mediaKey = 'a'.repeat(64);

describe('createMediaLinks', () => {
  let now = new Date('2026-11-21T12:00:00Z');
  const links = createMediaLinks({ secret: 's'.repeat(32), publicUrl: 'https://hub.example.net/', now: () => now });
  const tokenOf = (url: string) => url.slice('https://hub.example.net/media/'.length);

  it('opens to the file and tenant it was made for', () => {
    const url = runAsTenant(acme, () => links.urlOf({ mediaKey, mimeType: 'image/png', fileName: 'map.png' }));
    expect(url).toMatch(/^https:\/\/hub\.example\.net\/media\//);
    expect(links.read(tokenOf(url))).toEqual({ tenantId: acme, mediaKey, mimeType: 'image/png', fileName: 'map.png' });
  });

  it('opens nothing when changed, or after its day', () => {
    const token = tokenOf(runAsTenant(acme, () => links.urlOf({ mediaKey, mimeType: 'image/png' })));
    expect(links.read(`x${token.slice(1)}`)).toBeUndefined();
    expect(links.read('')).toBeUndefined();
    now = new Date(now.getTime() + 26 * 3_600_000);
    expect(links.read(token)).toBeUndefined();
  });
});
