import { describe, expect, it } from '@jest/globals';
import { networkOf } from './network-of.ts';

describe('the network that guesses', () => {
  it('is the address itself by IPv4', () => {
    expect(networkOf('203.0.113.9')).toBe('203.0.113.9');
  });

  it.each([
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:1:2::7', '2001:db8:1:2::/64'],
    ['2001:db8::7', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('of %s is %s by IPv6, where a machine has as many addresses as it likes', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
