import { describe, expect, it } from '@jest/globals';
import { providers } from '@switchboard/providers';
import type { Account } from '../providers/connect-strategy.ts';
import { changeForm } from './change-form.ts';

const meta: Account = {
  routingIdentifiers: { phoneNumberId: '700', wabaId: '900' },
  settings: { apiVersion: 'v25.0', displayPhoneNumber: '+1 555 0100', apiBaseUrl: 'https://gate.example.net' },
  credentials: { appSecret: 'app', verifyToken: 'verify', accessToken: 'access' },
};
const cloud: Account = {
  routingIdentifiers: { integrationId: 'int-1' },
  settings: { clientId: 'client', region: 'mypurecloud.de', callsPerMinute: '600', sandbox: 'true', apiBaseUrl: 'http://sandbox/genesys', loginBaseUrl: 'http://sandbox/genesys', webhookSecretOrigin: 'generated' },
  credentials: { clientSecret: 'secret', webhookSecret: 'made by the hub' },
};

const none = { generated: [], fixed: [] };

describe('the form of an account with some fields changed', () => {
  it('is what would be posted today: without what was learned, with what stays', () => {
    expect(changeForm(providers.whatsapp, meta, none, 'credentials', { accessToken: 'newer' })).toEqual({
      kind: 'form',
      form: { phoneNumberId: '700', wabaId: '900', apiVersion: 'v25.0', apiBaseUrl: 'https://gate.example.net', appSecret: 'app', verifyToken: 'verify', accessToken: 'newer' },
    });
  });

  it('asks for the sandbox again instead of naming its addresses, leaves out what the hub made, and turns text into numbers', () => {
    expect(changeForm(providers.genesys, cloud, { generated: ['webhookSecret'], fixed: [] }, 'settings', {})).toEqual({
      kind: 'form',
      form: { integrationId: 'int-1', clientId: 'client', region: 'mypurecloud.de', callsPerMinute: 600, sandbox: true, clientSecret: 'secret' },
    });
  });

  it('leaves out what is changed to null, and all addresses when one is given', () => {
    expect(changeForm(providers.genesys, cloud, { generated: ['webhookSecret'], fixed: [] }, 'credentials', { callsPerMinute: null, apiBaseUrl: 'https://other.example.net' })).toMatchObject({
      form: { apiBaseUrl: 'https://other.example.net', clientSecret: 'secret' },
    });
    const changed = changeForm(providers.genesys, cloud, none, 'credentials', { callsPerMinute: null, apiBaseUrl: 'https://other.example.net' });
    expect(changed.kind === 'form' && Object.keys(changed.form)).not.toEqual(expect.arrayContaining(['sandbox']));
    expect(changed.kind === 'form' && 'callsPerMinute' in changed.form).toBe(false);
  });

  it('refuses another account, a secret among settings, and what the form does not have, and never repeats a value', () => {
    const refused = changeForm(providers.whatsapp, meta, none, 'settings', { phoneNumberId: '701', accessToken: 'hidden', __proto: 1, displayPhoneNumber: 'x' });
    expect(refused).toMatchObject({ kind: 'refused', issues: [{ path: 'body.settings.phoneNumberId' }, { path: 'body.settings.accessToken' }, { path: 'body.settings.__proto' }, { path: 'body.settings.displayPhoneNumber' }] });
    expect(JSON.stringify(refused)).not.toContain('hidden');
    expect(changeForm(providers.whatsapp, meta, none, 'settings', { constructor: 'x' })).toMatchObject({ kind: 'refused' });
  });
});
