import { describe, expect, it } from '@jest/globals';
import type { SideMessage } from '../side.ts';
import { compareConversation, summarise } from './compare-sides.ts';

const message = (id: number, more: Partial<SideMessage> = {}): SideMessage => ({ id, type: 'incoming', content: 'x', isPrivate: false, createdAt: 1, senderName: undefined, hubRef: undefined, sourceId: undefined, attachments: [], ...more });
const copy = (id: number, of: number, more: Partial<SideMessage> = {}) => message(id, { hubRef: `move:${of}`, ...more });
const file = { url: 'https://x/a.pdf', fileName: 'a.pdf', mimeType: undefined };
const compare = (source: SideMessage[], target: SideMessage[], isNative: (of: SideMessage) => boolean = () => true) => compareConversation({ conversation: '7', source, target, isNative });
const reportOf = (...args: Parameters<typeof compare>) => summarise([compare(...args)], [], new Date(0));

describe('the sides of a move', () => {
  it('agree when every message is there once, in order, with its files', () => {
    const source = [message(1), message(2, { type: 'activity' }), message(3, { attachments: [file] })];
    expect(reportOf(source, [copy(10, 1), message(11), copy(12, 3, { attachments: [file] })])).toMatchObject({ agrees: true, messages: { source: 2, target: 2 }, attachments: { source: 1, target: 1 } });
  });

  it.each([
    ['one is missing', [copy(10, 1)], { missing: 1 }],
    ['one is there twice', [copy(10, 1), copy(11, 2), copy(12, 2)], { doubled: 1 }],
    ['they are in another order', [copy(10, 2), copy(11, 1)], { misplaced: 1 }],
    ['a file is missing', [copy(10, 1), copy(11, 2)], { attachmentsMissing: 1 }],
  ] as const)('differ when %s', (name, target, difference) => {
    const source = [message(1), message(2, name === 'a file is missing' ? { attachments: [file] } : {})];
    expect(reportOf(source, [...target])).toMatchObject({ agrees: false, differing: [{ conversation: '7', ...difference }] });
  });

  it('differ when a conversation has no copy', () => {
    expect(summarise([], ['9'], new Date(0))).toMatchObject({ agrees: false, conversations: { source: 1, target: 0 }, differing: [{ conversation: '9' }] });
  });

  it('leave out what once came from the other side', () => {
    expect(reportOf([message(1), copy(2, 99)], [copy(10, 1), message(99)], (of) => of.hubRef === undefined)).toMatchObject({ agrees: true, messages: { source: 1, target: 1 } });
  });
});
