import { describe, expect, it } from '@jest/globals';
import { isHubError } from '@switchboard/contracts';
import fc from 'fast-check';
import { createAddressPolicy } from './address-policy.ts';
import { parseTarget } from './parse-target.ts';

describe('a URL given by a tenant', () => {
  it.each(['ftp://example.com', 'file:///etc/passwd', 'gopher://127.0.0.1:6379/_', 'javascript:alert(1)', 'data:,x', 'not a url', '', '//example.com', 'https://', 'https://user:pass@example.com', 'https://user@example.com', 'https://:pass@example.com'])(
    'is refused: %j',
    (url) => {
      expect(() => parseTarget(url)).toThrow(expect.objectContaining({ code: 'egress.refused', retry: 'never' }));
    },
  );

  it.each([
    ['decimal', 'http://2130706433/'], ['octal', 'http://0177.0.0.1/'], ['octal in one', 'http://017700000001/'], ['hexadecimal', 'http://0x7f000001/'], ['mixed', 'http://0x7f.1/'], ['short', 'http://127.1/'],
    ['with a dot at the end', 'http://127.0.0.1./'], ['in wide digits', 'http://１２７.0.0.1/'], ['escaped', 'http://%31%32%37.0.0.1/'], ['with circled digits', 'http://①②⑦.⓪.⓪.①/'],
  ])('is read as the loopback address it is when written in %s form', (_, url) => {
    expect(parseTarget(url).address).toBe('127.0.0.1');
  });

  it('knows one host however it is written', () => {
    expect(parseTarget('https://EXAMPLE.com./x?y').host).toBe('example.com');
    expect(parseTarget('https://[::FFFF:127.0.0.1]:8443/').address).toBe('::ffff:7f00:1');
  });

  it('never throws anything but a refusal, and never takes a number for a name', () => {
    const closed = createAddressPolicy([]);
    const numbers = fc.integer({ min: 0x7f000000, max: 0x7fffffff }).chain((n) => fc.constantFrom(`http://${n}/`, `http://0x${n.toString(16)}/`, `http://0${n.toString(8)}/`));
    fc.assert(
      fc.property(numbers, (url) => {
        const { address } = parseTarget(url);
        return address !== undefined && closed.judge(address, address).kind === 'refused';
      }),
    );
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.string().map((s) => `https://${s}`)), (text) => {
        try {
          parseTarget(text);
          return true;
        } catch (error) {
          return isHubError(error) && error.code === 'egress.refused';
        }
      }),
    );
  });
});
