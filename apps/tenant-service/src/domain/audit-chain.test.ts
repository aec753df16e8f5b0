import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createChainCheck, emptyHead, hashOf, type ChainedEntry, type ChainFault, type ChainHead } from './audit-chain.ts';

const text = fc.string({ maxLength: 12 });
const fields = fc.record({ actor: text, actorSubject: text, from: fc.option(text), action: text, subject: text, facts: text, before: fc.option(text), after: fc.option(text) });
const chains = fc.array(fields, { minLength: 2, maxLength: 12 }).map(chainOf);

function chainOf(rows: readonly Pick<ChainedEntry, 'actor' | 'actorSubject' | 'from' | 'action' | 'subject' | 'facts' | 'before' | 'after'>[]): ChainedEntry[] {
  let previousHash = emptyHead.hash;
  return rows.map((row, index) => {
    const entry = { ...row, tenantId: 'acme', sequence: String(index + 1), previousHash, auditId: `aud_${index + 1}`, at: '2026-11-21T12:00:00.000000Z' };
    previousHash = hashOf(entry);
    return { ...entry, hash: previousHash };
  });
}

function headOf(chain: readonly ChainedEntry[]): ChainHead {
  const last = chain.at(-1);
  return last === undefined ? emptyHead : { sequence: Number(last.sequence), hash: last.hash };
}

function verdictOf(chain: readonly ChainedEntry[], head: ChainHead): ChainFault | undefined {
  const check = createChainCheck();
  for (const entry of chain) {
    const fault = check.next(entry);
    if (fault !== undefined) return fault;
  }
  return check.end(head);
}

describe('a chain of audit entries', () => {
  it('is whole as it was written, also an empty one', () => {
    fc.assert(fc.property(chains, (chain) => expect(verdictOf(chain, headOf(chain))).toBeUndefined()));
    expect(verdictOf([], emptyHead)).toBeUndefined();
  });

  it('names the entry of which any one field was changed', () => {
    const columns = ['tenantId', 'auditId', 'at', 'actor', 'actorSubject', 'from', 'action', 'subject', 'facts', 'before', 'after', 'previousHash'] as const;
    fc.assert(
      fc.property(chains, fc.nat(), fc.constantFrom(...columns), fc.constantFrom('x', ',', '-', null), (chain, pick, column, more) => {
        const index = pick % chain.length;
        const entry = chain[index]!;
        const changed = { ...entry, [column]: more === null && entry[column] !== null && ['from', 'before', 'after'].includes(column) ? null : `${entry[column] ?? ''}${more ?? 'x'}` };
        const fault = verdictOf(chain.with(index, changed), headOf(chain));
        expect(fault).toEqual({ sequence: index + 1, auditId: changed.auditId, fault: 'changed' });
      }),
    );
  });

  it('names what was taken out, wherever it stood, and what was cut off the end', () => {
    fc.assert(
      fc.property(chains, fc.nat(), (chain, pick) => {
        const index = pick % chain.length;
        expect(verdictOf(chain.toSpliced(index, 1), headOf(chain))).toEqual({ sequence: index + 1, auditId: null, fault: 'missing' });
        expect(verdictOf(chain.slice(0, index), headOf(chain))).toEqual({ sequence: index + 1, auditId: null, fault: 'missing' });
      }),
    );
  });

  it('names an entry that was replaced by one with a hash of its own, at the next one or at the head', () => {
    fc.assert(
      fc.property(chains, fc.nat(), (chain, pick) => {
        const index = pick % chain.length;
        const { hash: _hash, ...entry } = { ...chain[index]!, action: 'nothing.happened' };
        const fault = verdictOf(chain.with(index, { ...entry, hash: hashOf(entry) }), headOf(chain));
        const isLast = index === chain.length - 1;
        expect(fault).toMatchObject(isLast ? { sequence: index + 1, fault: 'changed' } : { sequence: index + 2, fault: 'unlinked' });
      }),
    );
  });

  it('does not take two entries in each other\'s place, nor one that nobody appended', () => {
    fc.assert(
      fc.property(chains, (chain) => {
        const [first, second] = [chain[0]!, chain[1]!];
        const swapped = [{ ...second, sequence: '1' }, { ...first, sequence: '2' }, ...chain.slice(2)];
        expect(verdictOf(swapped, headOf(chain))).toMatchObject({ sequence: 1, fault: 'changed' });
        const more = chainOf([...chain, first]);
        expect(verdictOf(more, headOf(chain))).toMatchObject({ sequence: chain.length + 1, fault: 'surplus' });
      }),
    );
  });

  it('cannot be read in two ways: text that moves from one field to the next gives another hash', () => {
    const [entry] = chainOf([{ actor: 'a', actorSubject: 'b', from: null, action: 'c', subject: 'd', facts: '{}', before: null, after: null }]);
    const { hash, ...rest } = entry!;
    expect(hashOf({ ...rest, actor: 'ab', actorSubject: '' })).not.toBe(hash);
    expect(hashOf({ ...rest, from: '-' })).not.toBe(hash);
    expect(hashOf({ ...rest, actor: 'a,1:b', actorSubject: '' })).not.toBe(hash);
  });
});
