import { describe, expect, it } from '@jest/globals';
import { isNetworkWithin } from './is-network-within.ts';

describe('a network', () => {
  it.each([
    ['10.1.0.0/16', '10.0.0.0/8'],
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.200.3.4/32', '10.9.9.9/8'],
    ['2001:db8:1::/48', '2001:db8::/32'],
    ['2001:DB8::1/128', '2001:db8::/32'],
    ['::ffff:10.1.0.0/112', '10.0.0.0/8'],
    ['10.1.0.0/16', '::ffff:a00:0/104'],
    ['192.0.2.0/24', '0.0.0.0/0'],
    ['2001:db8::/32', '::/0'],
  ])('%s lies within %s', (inner, outer) => expect(isNetworkWithin(inner, outer)).toBe(true));

  it.each([
    ['10.0.0.0/7', '10.0.0.0/8'],
    ['11.0.0.0/16', '10.0.0.0/8'],
    ['0.0.0.0/0', '10.0.0.0/8'],
    ['2001:db8::/31', '2001:db8::/32'],
    ['2001:db9::/48', '2001:db8::/32'],
    ['::/0', '10.0.0.0/8'],
    ['::ffff:0:0/96', '10.0.0.0/8'],
    ['::ffff:0:0/95', '0.0.0.0/0'],
    // A v6 network lets no v4 address in, however wide it is.
    ['10.0.0.0/8', '::/0'],
    ['10.0.0.0/8', '2001:db8::/32'],
  ])('%s does not lie within %s', (inner, outer) => expect(isNetworkWithin(inner, outer)).toBe(false));
});
