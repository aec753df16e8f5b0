import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { findKeyword } from './find-keyword.ts';
import { wordsOfLanguage } from './words-by-language.ts';

describe('a keyword', () => {
  it.each([
    ['I want to talk to an AGENT!', ['agent'], 'agent'],
    ['¿Hay algún humáno?', ['humano'], 'humano'],
    ['un humano', ['humáno'], 'humáno'],
    ['Ich möchte einen Menschen, einen echten MENSCH.', ['Mensch'], 'Mensch'],
    ['bitte mit jemandem  sprechen', ['jemandem sprechen'], 'jemandem sprechen'],
    ['Straße', ['strasse'], 'strasse'],
    ['İNSAN', ['insan'], 'insan'],
    ['请转人工客服', ['人工'], '人工'],
    ['person, real', ['real person', 'person'], 'person'],
  ])('is found in "%s"', (text, keywords, found) => {
    expect(findKeyword(text, keywords)).toBe(found);
  });

  it.each([
    ['the agency is closed', ['agent', 'agenc']],
    ['Menschlichkeit', ['mensch']],
    ['inhuman', ['human']],
    ['real estate person', ['real person']],
    ['', ['agent']],
    ['agent', ['', '  ', '!']],
  ])('is not found in "%s"', (text, keywords) => {
    expect(findKeyword(text, keywords)).toBeUndefined();
  });

  const letters = fc.string({ unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyzäöüßéñçğşøåабвгд'), minLength: 1, maxLength: 12 });

  it('is never found inside another word', () => {
    fc.assert(
      fc.property(letters, letters, letters, (before, keyword, after) => {
        expect(findKeyword(`${before}${keyword}${after}`, [keyword])).toBeUndefined();
        expect(findKeyword(`${before}${keyword}`, [keyword])).toBeUndefined();
        expect(findKeyword(`${keyword}${after}`, [keyword])).toBeUndefined();
      }),
    );
  });

  it('is found as a word of its own wherever it stands, in any case and with any signs around it', () => {
    const signs = fc.constantFrom(' ', '! ', '¿', ', ', '…', ' "', '\n');
    fc.assert(
      fc.property(letters, letters, letters, signs, signs, (before, keyword, after, left, right) => {
        expect(findKeyword(`${before}${left}${keyword.toUpperCase()}${right}${after}`, [keyword])).toBe(keyword);
      }),
    );
  });

  it('has words for those who named none, in their language or in English', () => {
    expect(findKeyword('quiero hablar con un HUMANO', wordsOfLanguage('es-MX').person)).toBe('humano');
    expect(findKeyword('Gibt es hier einen Mitarbeiter?', wordsOfLanguage('de').person)).toBe('mitarbeiter');
    expect(findKeyword('a human please', wordsOfLanguage('xx').person)).toBe('human');
  });
});
