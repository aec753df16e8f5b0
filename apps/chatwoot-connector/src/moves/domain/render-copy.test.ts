import { describe, expect, it } from '@jest/globals';
import type { SideMessage } from '../side.ts';
import { copiedIdOf, copyRefOf, renderCopy } from './render-copy.ts';

const message: SideMessage = { id: 918273, type: 'outgoing', content: 'Seu pedido saiu hoje.', isPrivate: false, createdAt: 1783077605, senderName: 'Bruno', hubRef: undefined, sourceId: undefined, attachments: [] };

describe('the copy of a message', () => {
  it('says when it was written and by which agent', () => {
    expect(renderCopy(message, [])).toMatchObject({ content: '[2026-07-03 11:20 UTC · Bruno] Seu pedido saiu hoje.', type: 'outgoing', isPrivate: false, writtenAt: 1783077605 });
  });

  it("names no author of a contact's words: the conversation shows whose they are", () => {
    expect(renderCopy({ ...message, type: 'incoming', senderName: 'Ana' }, []).content).toBe('[2026-07-03 11:20 UTC] Seu pedido saiu hoje.');
  });

  it('of a private note is a private note', () => {
    expect(renderCopy({ ...message, isPrivate: true }, [])).toMatchObject({ isPrivate: true, type: 'outgoing' });
  });

  it('of a template is an outgoing message', () => {
    expect(renderCopy({ ...message, type: 'template', senderName: undefined }, [])).toMatchObject({ type: 'outgoing', content: '[2026-07-03 11:20 UTC] Seu pedido saiu hoje.' });
  });

  it('is known by the message it was made of, and nothing else is taken for a copy', () => {
    expect(copiedIdOf({ hubRef: copyRefOf(message) })).toBe(918273);
    for (const hubRef of [undefined, 'msg_01', 'move:', 'move:12x', 'move:-1']) expect(copiedIdOf({ hubRef })).toBeUndefined();
  });

  it('gives Liquid nothing to render in what an agent wrote', () => {
    const { content } = renderCopy({ ...message, content: 'code {{ contact.name }} {% if %}' }, []);
    expect(content).not.toMatch(/\{[{%]/);
    expect(content.replaceAll('\u2060', '')).toContain('code {{ contact.name }} {% if %}');
  });

  it('says which files are missing', () => {
    expect(renderCopy({ ...message, content: '' }, [], ['a.pdf']).content).toBe('[2026-07-03 11:20 UTC · Bruno] (file not available: a.pdf)');
  });
});
