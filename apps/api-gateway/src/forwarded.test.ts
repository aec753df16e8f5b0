import { describe, expect, it } from '@jest/globals';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { createForwarded } from './forwarded.ts';
import { parseNetworks } from './networks.ts';

const { networks } = parseNetworks(['10.0.0.0/8', '2001:db8::/32']);
const behindProxies = createForwarded(networks);
const alone = createForwarded(undefined);

/** As much of a request as is looked at. */
function request(remoteAddress: string, headers: IncomingHttpHeaders = {}): IncomingMessage {
  return { socket: { remoteAddress }, headers } as unknown as IncomingMessage;
}

describe('the address of a request', () => {
  it.each([
    ['that of the connection, where there is no proxy', '203.0.113.5', undefined, '203.0.113.5'],
    ['IPv4 where it was mapped', '::ffff:203.0.113.5', undefined, '203.0.113.5'],
    ['never what a stranger writes', '203.0.113.5', '198.51.100.1', '203.0.113.5'],
    ['what our proxy says', '10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['the nearest that is not ours, whatever stands before it', '10.0.0.1', '1.1.1.1, 198.51.100.1, 10.0.0.2', '198.51.100.1'],
    ['the farthest of ours when all are', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['our proxy itself when what it says is no address', '10.0.0.1', 'unknown', '10.0.0.1'],
    ['as far as there are addresses', '10.0.0.1', '198.51.100.1, nonsense, 10.0.0.2', '10.0.0.2'],
    ['without the port some proxies add', '10.0.0.1', '198.51.100.1:4711', '198.51.100.1'],
    ['without the port and brackets of IPv6', '2001:db8::1', '[2001:db9::7]:4711', '2001:db9::7'],
  ])('is %s', (_, peer, chain, expected) => {
    expect(behindProxies.addressOf(request(peer, chain === undefined ? {} : { 'x-forwarded-for': chain }))).toBe(expected);
  });

  it('is that of the connection where no proxy is trusted', () => {
    expect(alone.addressOf(request('10.0.0.1', { 'x-forwarded-for': '198.51.100.1' }))).toBe('10.0.0.1');
  });
});

describe('the host of a request', () => {
  it.each([
    ['Host, in lower case and without port or last dot', '203.0.113.5', { host: 'ACME.Example.com.:8080' }, 'acme.example.com'],
    ['Host, whatever a stranger writes', '203.0.113.5', { host: 'acme.example.com', 'x-forwarded-host': 'globex.example.com' }, 'acme.example.com'],
    ['what our proxy says', '10.0.0.1', { host: 'gateway:3000', 'x-forwarded-host': 'acme.example.com' }, 'acme.example.com'],
    ["the nearest proxy's word of several", '10.0.0.1', { host: 'gateway', 'x-forwarded-host': 'globex.example.com, acme.example.com' }, 'acme.example.com'],
    ['unknown when there is none', '203.0.113.5', {}, undefined],
    ['unknown when it is none', '203.0.113.5', { host: 'acme.example.com evil' }, undefined],
    ['unknown when it is an address in brackets', '203.0.113.5', { host: '[::1]:3000' }, undefined],
  ])('is %s', (_, peer, headers, expected) => {
    expect(behindProxies.hostOf(request(peer, headers))).toBe(expected);
  });

  it('is Host where no proxy is trusted', () => {
    expect(alone.hostOf(request('10.0.0.1', { host: 'acme.example.com', 'x-forwarded-host': 'globex.example.com' }))).toBe('acme.example.com');
  });
});
