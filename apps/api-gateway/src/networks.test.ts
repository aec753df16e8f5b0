import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { parseNetworks, plainAddress } from './networks.ts';

describe('networks', () => {
  it.each([
    ['10.0.0.0/8', '10.255.0.1', '11.0.0.1'],
    ['192.0.2.7', '192.0.2.7', '192.0.2.8'],
    ['0.0.0.0/0', '203.0.113.9', '2001:db8::1'],
    ['2001:db8::/32', '2001:db8:ffff::1', '2001:db9::1'],
    ['::1', '::1', '::2'],
    ['::ffff:10.0.0.0/104', '10.1.2.3', '11.0.0.1'],
    [' 10.0.0.0/8 ', '10.0.0.1', '9.0.0.1'],
  ])('%s holds %s and not %s', (entry, inside, outside) => {
    const { networks, faults } = parseNetworks([entry]);
    expect(faults).toEqual([]);
    expect([networks.has(inside), networks.has(outside)]).toEqual([true, false]);
  });

  it.each(['', 'example.com', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '10.0.0/8', '2001:db8::/129', '::ffff:10.0.0.0/95', '10.0.0.0/8/8', '10.0.0.0/8x'])('are not %j, which holds nobody', (entry) => {
    const { networks, faults } = parseNetworks([entry]);
    expect(faults).toEqual([entry]);
    expect([networks.has('10.0.0.1'), networks.has('::1'), networks.has('')]).toEqual([false, false, false]);
  });
});

describe('an address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8::ffff:1', '2001:db8::ffff:1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['192.0.2.256', undefined],
    ['', undefined],
    ['unknown', undefined],
  ])('%s is %s', (text, plain) => expect(plainAddress(text)).toBe(plain));

  it('is read without a foreign error, whatever it is', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.ipV6(), fc.ipV4()), (text) => void [plainAddress(text), parseNetworks([text]).networks.has(text)]));
  });

  it('is itself in the network of itself', () => {
    fc.assert(fc.property(fc.oneof(fc.ipV6(), fc.ipV4()), (text) => parseNetworks([text]).networks.has(plainAddress(text) ?? '')));
  });
});
