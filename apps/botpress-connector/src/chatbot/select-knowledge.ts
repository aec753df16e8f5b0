import type { KnowledgeEntry } from '@switchboard/contracts';

type Index = { readonly entries: readonly { readonly position: number; readonly bytes: number }[]; /** Word → entries it is in, with what it counts there. */ readonly postings: ReadonlyMap<string, readonly (readonly [position: number, weight: number])[]> };

/** A word of the question says more of what an entry is about than one of its answer; a tag was put there for being found. */
const weights = { tags: 4, question: 3, answer: 1 } as const;
/** Letters that a word and another form of it must have in common from the beginning: "shipping", "shipped". */
const stemLength = 5;
/** What another form of a word counts. */
const stemShare = 0.5;
/** Words of a question that are looked for: a message may be a letter of four pages. */
const wordsMax = 200;

/** By the array itself: made once for as long as a chatbot is kept. */
const indexes = new WeakMap<readonly KnowledgeEntry[], Index>();

/**
 * The entries that a question is most likely about, the likeliest first, as many as fit into `budgetBytes` of UTF-8 JSON (`{question, answer}`
 * each). Where no word of the question is in any entry, the first ones: a bot that greets may say what it can help with. The same question
 * over the same base always gets the same entries.
 */
export function selectKnowledge(knowledgeBase: readonly KnowledgeEntry[], question: string, budgetBytes: number): KnowledgeEntry[] {
  const index = indexOf(knowledgeBase);
  const scores = scoresOf(index, question);
  const order = index.entries.toSorted((a, b) => (scores.get(b.position) ?? 0) - (scores.get(a.position) ?? 0) || a.position - b.position);
  const selected: KnowledgeEntry[] = [];
  // The brackets of the list.
  let left = budgetBytes - 2;
  for (const { position, bytes } of order) {
    if (scores.size > 0 && !scores.has(position)) break;
    const entry = knowledgeBase[position];
    // One that is too long leaves room for the next.
    if (entry === undefined || bytes > left) continue;
    left -= bytes;
    selected.push(entry);
  }
  return selected;
}

/** Makes the index of a base now, which the first question would wait for. */
export function prepareKnowledge(knowledgeBase: readonly KnowledgeEntry[]): void {
  indexOf(knowledgeBase);
}

function scoresOf({ entries, postings }: Index, question: string): Map<number, number> {
  const scores = new Map<number, number>();
  for (const word of [...new Set(wordsOf(question))].slice(0, wordsMax)) {
    const exact = postings.get(word) ?? [];
    const stem = stemOf(word);
    const alike = stem === undefined ? [] : (postings.get(stem) ?? []);
    // A word that every entry has tells none apart.
    const worth = new Map(alike.map(([position, weight]) => [position, weight * stemShare * rarityOf(alike.length, entries.length)]));
    for (const [position, weight] of exact) worth.set(position, Math.max(worth.get(position) ?? 0, weight * rarityOf(exact.length, entries.length)));
    for (const [position, points] of worth) scores.set(position, (scores.get(position) ?? 0) + points);
  }
  return scores;
}

function rarityOf(found: number, all: number): number {
  return Math.log(1 + all / found);
}

function indexOf(knowledgeBase: readonly KnowledgeEntry[]): Index {
  let index = indexes.get(knowledgeBase);
  if (index === undefined) indexes.set(knowledgeBase, (index = makeIndex(knowledgeBase)));
  return index;
}

function makeIndex(knowledgeBase: readonly KnowledgeEntry[]): Index {
  const postings = new Map<string, [number, number][]>();
  const entries = knowledgeBase.map((entry, position) => {
    const found = new Map<string, number>();
    const add = (key: string, weight: number) => found.set(key, Math.max(found.get(key) ?? 0, weight));
    for (const [text, weight] of [[entry.tags.join(' '), weights.tags], [entry.question, weights.question], [entry.answer, weights.answer]] as const) {
      for (const word of new Set(wordsOf(text))) {
        add(word, weight);
        const stem = stemOf(word);
        if (stem !== undefined) add(stem, weight);
      }
    }
    for (const [key, weight] of found) {
      const list = postings.get(key);
      if (list === undefined) postings.set(key, [[position, weight]]);
      else list.push([position, weight]);
    }
    // With the comma after it.
    return { position, bytes: Buffer.byteLength(JSON.stringify({ question: entry.question, answer: entry.answer })) + 1 };
  });
  return { entries, postings };
}

/** A key of its own for beginnings of words: no word holds a hyphen at its end. */
function stemOf(word: string): string | undefined {
  return word.length < stemLength ? undefined : `${word.slice(0, stemLength)}-`;
}

/** Words in one form whatever case and accents they are written with. Scripts without blanks between words are taken by two signs each. */
export function wordsOf(text: string): string[] {
  const folded = text.normalize('NFKD').replaceAll(/\p{M}+/gu, '').toLowerCase().replaceAll('ß', 'ss').replaceAll('ı', 'i');
  return (folded.match(/[\p{L}\p{N}]+/gu) ?? []).flatMap((word) => (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u.test(word) ? pairsOf(word) : [word]));
}

function pairsOf(word: string): string[] {
  const signs = [...word];
  return signs.length < 3 ? [word] : signs.slice(1).map((sign, position) => `${signs[position] ?? ''}${sign}`);
}
