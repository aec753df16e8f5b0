import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { optOutOf } from './opt-out-of.ts';

const on = { whatsappOptOut: true };
const wishOf = (text: string, channel: 'sms' | 'whatsapp' = 'sms', type?: string) => optOutOf(text, type, channel, on)?.wish;

describe('a word about opting out', () => {
  it.each(['STOP', 'stop', ' Stop\n', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT', 'OPTOUT', 'REVOKE'])('%j by SMS ends messages', (text) => expect(wishOf(text)).toBe('out'));
  it.each(['START', 'unstop', 'Yes'])('%j by SMS begins them again', (text) => expect(wishOf(text)).toBe('in'));
  it.each(['HELP', 'INFO', 'stop it', 'please stop', 'STOP.', 'Stopp', '', 'yes please'])('%j says nothing of it', (text) => expect(wishOf(text)).toBeUndefined());
  it('YES begins them for whom has ended them, and no other word is bound to that', () => {
    expect([optOutOf('yes', undefined, 'sms', on)?.onlyWhenOut, optOutOf('start', undefined, 'sms', on)?.onlyWhenOut, optOutOf('stop', undefined, 'sms', on)?.onlyWhenOut]).toEqual([true, false, false]);
  });

  it.each(['cancel', 'end', 'quit', 'yes', 'revoke'])('%j on WhatsApp is what a bot was told', (text) => expect(wishOf(text, 'whatsapp')).toBeUndefined());
  it('STOP and START on WhatsApp count where the tenant lets them', () => {
    expect([wishOf('stop', 'whatsapp'), wishOf('start', 'whatsapp'), optOutOf('stop', undefined, 'whatsapp', { whatsappOptOut: false })]).toEqual(['out', 'in', undefined]);
  });

  it('is Twilio\'s to judge where it does: the tenant\'s own words, and HELP, which is nothing', () => {
    expect([wishOf('arrêt', 'sms', 'STOP'), wishOf('oui', 'sms', 'start'), wishOf('STOP', 'sms', 'HELP')]).toEqual(['out', 'in', undefined]);
  });

  it('is a whole message: no text with more in it ends messages', () => {
    const words = ['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT', 'OPTOUT', 'REVOKE'];
    fc.assert(fc.property(fc.constantFrom(...words), fc.string({ minLength: 1 }).filter((more) => more.trim() !== ''), (word, more) => wishOf(`${word} ${more}`) === undefined && wishOf(`${more} ${word}`) === undefined));
  });

  it('never throws, and keeps a word that fits into its column', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.option(fc.string(), { nil: undefined }), fc.constantFrom('sms' as const, 'whatsapp' as const), (text, type, channel) => (optOutOf(text, type, channel, on)?.word.length ?? 0) <= 64));
  });
});
