import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createAddressPolicy } from './address-policy.ts';

const closed = createAddressPolicy([]);

describe('without EGRESS_ALLOW', () => {
  it.each([
    ['loopback', '127.0.0.1'], ['loopback', '127.255.255.254'], ['loopback', '::1'], ['private', '10.0.0.1'], ['private', '172.16.0.1'], ['private', '172.31.255.255'], ['private', '192.168.1.1'],
    ['link-local', '169.254.0.1'], ['link-local', 'fe80::1'], ['metadata of AWS, GCP, Azure', '169.254.169.254'], ['metadata of AWS over IPv6', 'fd00:ec2::254'], ['metadata of Alibaba', '100.100.100.200'], ['metadata of Oracle', '192.0.0.192'],
    ['the platform address of Azure', '168.63.129.16'], ['carrier-grade NAT', '100.64.0.1'], ['carrier-grade NAT', '100.127.255.255'], ['unspecified', '0.0.0.0'], ['this network', '0.1.2.3'], ['unspecified', '::'],
    ['broadcast', '255.255.255.255'], ['multicast', '224.0.0.1'], ['multicast', 'ff02::1'], ['reserved', '240.0.0.1'], ['benchmarking', '198.18.0.1'], ['documentation', '192.0.2.1'], ['documentation', '203.0.113.9'], ['documentation', '2001:db8::1'],
    ['unique local', 'fc00::1'], ['site-local', 'fec0::1'], ['IPv4-mapped', '::ffff:127.0.0.1'], ['IPv4-mapped public', '::ffff:8.8.8.8'], ['IPv4-compatible', '::127.0.0.1'], ['NAT64', '64:ff9b::7f00:1'], ['NAT64 public', '64:ff9b::808:808'],
    ['local NAT64', '64:ff9b:1::7f00:1'], ['6to4', '2002:7f00:1::'], ['Teredo', '2001::1'], ['discard', '100::1'], ['not an address', 'localhost'],
  ])('refuses %s: %s', (_, address) => {
    expect(closed.judge(address, address)).toMatchObject({ kind: 'refused' });
  });

  it.each(['8.8.8.8', '1.1.1.1', '157.240.22.19', '2a03:2880:f10c:83:face:b00c:0:25de', '2606:4700::1111', '172.32.0.1', '100.128.0.1', '11.0.0.1'])('lets %s pass', (address) => {
    expect(closed.judge(address, address)).toEqual({ kind: 'public' });
  });

  it('refuses every address of the networks that are not the internet', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const inside = fc.oneof(
      fc.tuple(fc.constantFrom(0, 10, 127, 224, 239, 240, 255), octet, octet, octet),
      fc.tuple(fc.constant(192), fc.constant(168), octet, octet),
      fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), octet, octet),
      fc.tuple(fc.constant(169), fc.constant(254), octet, octet),
      fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), octet, octet),
    );
    fc.assert(
      fc.property(inside, ([a, b, c, d]) => {
        const v4 = `${a}.${b}.${c}.${d}`;
        const hex = [a * 256 + b, c * 256 + d].map((part) => part.toString(16)).join(':');
        // The address itself, and every way IPv6 has of saying it.
        for (const address of [v4, `::ffff:${v4}`, `::ffff:${hex}`, `::${hex}`, `64:ff9b::${hex}`, `2002:${hex}::1`]) {
          if (closed.judge(address, address).kind !== 'refused') return false;
        }
        return true;
      }),
      { numRuns: 500 },
    );
  });
});

describe('EGRESS_ALLOW', () => {
  it('opens the networks it names and nothing beside them', () => {
    const policy = createAddressPolicy(['127.0.0.0/8', 'fd12::/16', '10.1.2.3']);
    expect(policy.judge('127.0.0.1', '127.0.0.1').kind).toBe('allowed');
    expect(policy.judge('fd12::5', 'fd12::5').kind).toBe('allowed');
    expect(policy.judge('10.1.2.3', 'x').kind).toBe('allowed');
    for (const address of ['10.1.2.4', '::1', '::ffff:127.0.0.1', '64:ff9b::7f00:1', '169.254.169.254']) expect(policy.judge(address, address).kind).toBe('refused');
  });

  it('opens host names, whatever they resolve to, and not their neighbours', () => {
    const policy = createAddressPolicy(['minio.internal', '*.svc.cluster.local']);
    expect(policy.judge('10.0.0.9', 'minio.internal').kind).toBe('allowed');
    expect(policy.judge('10.0.0.9', 'chatwoot.svc.cluster.local').kind).toBe('allowed');
    for (const host of ['evil-minio.internal', 'minio.internal.evil.example', 'svc.cluster.local', 'xsvc.cluster.local']) expect(policy.judge('10.0.0.9', host).kind).toBe('refused');
  });

  it.each(['10.0.0.0/33', '300.1.1.1', '10', 'http://x', 'a b', ''])('is refused at the start when an entry is neither: %j', (entry) => {
    expect(() => createAddressPolicy([entry])).toThrow('EGRESS_ALLOW');
  });
});
