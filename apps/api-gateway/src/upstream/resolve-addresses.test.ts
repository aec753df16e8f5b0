import { describe, expect, it } from '@jest/globals';
import { hasNames, resolveAddresses } from './resolve-addresses.ts';

const lookUp = async (hostname: string) => (hostname === 'state' ? ['10.0.0.1', 'fd00::2'] : ['10.0.0.9']);

describe('resolveAddresses', () => {
  it('finds every address of a name, each to be called by the name', async () => {
    expect(await resolveAddresses(['http://state:3002', 'https://other'], lookUp)).toEqual([
      { origin: 'http://10.0.0.1:3002', host: 'state:3002', servername: 'state' },
      { origin: 'http://[fd00::2]:3002', host: 'state:3002', servername: 'state' },
      { origin: 'https://10.0.0.9', host: 'other', servername: 'other' },
    ]);
  });

  it('looks up no address and not this machine', async () => {
    const never = () => Promise.reject(new Error('looked up'));
    const urls = ['http://127.0.0.1:1', 'http://[::1]:2', 'http://localhost:3'];
    expect((await resolveAddresses(urls, never)).map(({ origin }) => origin)).toEqual(urls);
    expect([hasNames(urls), hasNames(['http://127.0.0.1:1', 'http://state:2'])]).toEqual([false, true]);
  });
});
