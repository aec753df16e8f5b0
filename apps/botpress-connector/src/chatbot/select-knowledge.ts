import type { KnowledgeEntry } from '@switchboard/contracts';
import { visitWords } from './visit-words.ts';

/**
 * A base's words, each a number: which word (32 bits), in which entry (17 bits), what it counts there (3 bits). In order, so that all of a word
 * stand together. A map of words would take ten times the room, and there is one of these for each of thousands of tenants.
 */
type Index = { readonly postings: Float64Array; /** Of each entry as JSON, with the comma after it. */ readonly bytes: readonly number[] };

/** A word of the question says more of what an entry is about than one of its answer; a tag was put there for being found. */
const weights = { tags: 4, question: 3, answer: 1 } as const;
const weightsMax = 8;
const entriesMax = 2 ** 17;
/** What another form of a word counts. */
const stemShare = 0.5;
/** Words of a question that are looked for: a message may be a letter of four pages. */
const wordsMax = 200;

/** By the array itself: made once for as long as a chatbot is kept. */
const indexes = new WeakMap<readonly KnowledgeEntry[], Index>();

/**
 * The entries that a question is most likely about, the likeliest first, as many as fit into `budgetBytes` of UTF-8 JSON (a list of
 * `{question, answer}`). Where no word of the question is in any entry, the first ones: a bot that greets may say what it can help with. The
 * same question over the same base always gets the same entries.
 */
export function selectKnowledge(knowledgeBase: readonly KnowledgeEntry[], question: string, budgetBytes: number): KnowledgeEntry[] {
  const index = indexOf(knowledgeBase);
  const scores = scoresOf(index, question);
  const order = scores.size === 0 ? index.bytes.keys() : [...scores].toSorted(([a, scoreA], [b, scoreB]) => scoreB - scoreA || a - b).map(([position]) => position);
  const selected: KnowledgeEntry[] = [];
  // The brackets of the list, without the comma that the last entry does not have.
  let left = budgetBytes - 1;
  for (const position of order) {
    const [entry, bytes = 0] = [knowledgeBase[position], index.bytes[position]];
    // One that is too long leaves room for the next.
    if (entry === undefined || !(bytes <= left)) continue;
    left -= bytes;
    selected.push(entry);
  }
  return selected;
}

/** Makes the index of a base now, which the first question would wait for. Returns the bytes it takes. */
export function prepareKnowledge(knowledgeBase: readonly KnowledgeEntry[]): number {
  const { postings, bytes } = indexOf(knowledgeBase);
  return postings.byteLength + bytes.length * Float64Array.BYTES_PER_ELEMENT;
}

function scoresOf(index: Index, question: string): Map<number, number> {
  const all = index.bytes.length;
  const scores = new Map<number, number>();
  const words = new Map<number, number | undefined>();
  visitWords(question, (word, stem) => {
    if (words.size < wordsMax) words.set(word, stem);
  });
  for (const [word, stem] of words) {
    const [exact, alike] = [find(index, word), stem === undefined ? [] : find(index, stem)];
    // A word that every entry has tells none apart.
    const worth = new Map(alike.map(([position, weight]) => [position, weight * stemShare * Math.log(1 + all / alike.length)]));
    for (const [position, weight] of exact) worth.set(position, Math.max(worth.get(position) ?? 0, weight * Math.log(1 + all / exact.length)));
    for (const [position, points] of worth) scores.set(position, (scores.get(position) ?? 0) + points);
  }
  return scores;
}

function find({ postings }: Index, word: number): [position: number, weight: number][] {
  const first = word * entriesMax * weightsMax;
  const end = first + entriesMax * weightsMax;
  let [low, high] = [0, postings.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((postings[middle] ?? end) < first) low = middle + 1;
    else high = middle;
  }
  const found: [number, number][] = [];
  for (let posting = postings[low]; posting !== undefined && posting < end; posting = postings[++low]) found.push([Math.floor((posting - first) / weightsMax), (posting - first) % weightsMax]);
  return found;
}

function indexOf(knowledgeBase: readonly KnowledgeEntry[]): Index {
  let index = indexes.get(knowledgeBase);
  if (index === undefined) indexes.set(knowledgeBase, (index = makeIndex(knowledgeBase)));
  return index;
}

function makeIndex(knowledgeBase: readonly KnowledgeEntry[]): Index {
  const postings: number[] = [];
  const bytes: number[] = [];
  for (const [position, entry] of knowledgeBase.slice(0, entriesMax).entries()) {
    const found = new Map<number, number>();
    // The heaviest first: what a word counts is what it counts where it counts most.
    for (const [text, weight] of [[entry.tags.join(' '), weights.tags], [entry.question, weights.question], [entry.answer, weights.answer]] as const) {
      visitWords(text, (word, stem) => {
        if (!found.has(word)) found.set(word, weight);
        if (stem !== undefined && !found.has(stem)) found.set(stem, weight);
      });
    }
    for (const [hash, weight] of found) postings.push((hash * entriesMax + position) * weightsMax + weight);
    bytes.push(Buffer.byteLength(JSON.stringify({ question: entry.question, answer: entry.answer })) + 1);
  }
  return { postings: Float64Array.from(postings).sort(), bytes };
}
