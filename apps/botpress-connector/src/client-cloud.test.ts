import { describe, expect, it } from '@jest/globals';
import { newId } from '@switchboard/contracts';
import * as fc from 'fast-check';
import { signUserKey } from './client-cloud.ts';
import { fidOf, parseFid } from './fid.ts';

describe('the user key', () => {
  it('is the vector of the contract (section 2.2): nothing in it but the user', () => {
    expect(signUserKey('t_acme-wa-4915112345678', 'hub-chat-key-0001')).toBe('eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpZCI6InRfYWNtZS13YS00OTE1MTEyMzQ1Njc4In0.5_t_rcOuEwfeH9rbehM4-O6qQE6sEpOKvyLHFAa3hkQ');
  });
});

describe('the name of a conversation at Botpress', () => {
  it('is one that Botpress takes, and says whose conversation it is', () => {
    const names = { connectionId: newId('con'), conversationId: newId('cnv') };
    const fid = fidOf(names);
    expect(fid).toMatch(/^[a-zA-Z0-9_\-\\/]{1,70}$/);
    expect(parseFid(fid)).toEqual(names);
  });

  it('is read from nothing else', () => {
    fc.assert(fc.property(fc.string(), (text) => expect(parseFid(text)).toBeUndefined()));
    expect(parseFid(`${newId('con')}-${newId('msg')}`)).toBeUndefined();
    expect(parseFid(newId('cnv'))).toBeUndefined();
  });
});
