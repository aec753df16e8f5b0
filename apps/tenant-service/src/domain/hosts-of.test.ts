import { describe, expect, it } from '@jest/globals';
import { findProvider } from '@switchboard/providers';
import { inSandbox } from './hosts-of.ts';

const sandboxUrl = 'http://127.0.0.1:3020';
const account = (apiUrl?: string) => ({ routingIdentifiers: {}, credentials: {}, settings: { mode: 'dedicated', ...(apiUrl === undefined ? {} : { apiUrl }) } });

describe('an account at the sandbox', () => {
  it.each([
    ['no address', undefined, `${sandboxUrl}/chatwoot`],
    ['the address of a server that it plays', `${sandboxUrl}/chatwoot/s/tyrell`, `${sandboxUrl}/chatwoot/s/tyrell`],
    ['an address elsewhere', 'https://chatwoot.example', `${sandboxUrl}/chatwoot`],
    ['an address that only begins alike', `${sandboxUrl}/chatwoot.example.test`, `${sandboxUrl}/chatwoot`],
    ['an address that leads out of the stand-in', `${sandboxUrl}/chatwoot/../sandbox`, `${sandboxUrl}/chatwoot`],
  ])('is asked there when it gives %s', (_name, given, expected) => {
    const chatwoot = findProvider('chatwoot');
    if (chatwoot === undefined) throw new Error('no such provider');
    expect(inSandbox(chatwoot, account(given), sandboxUrl).settings).toMatchObject({ apiBaseUrl: expected, sandbox: 'true' });
  });
});
