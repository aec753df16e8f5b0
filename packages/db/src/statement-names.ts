/**
 * Names for prepared statements: a text that comes again is parsed and planned once a connection and generation. Bounded, because a text with a
 * list in it has many forms and the server keeps every named one; beyond the bound, statements stay unnamed.
 *
 * A generation ends after seconds at first, then less and less often: Postgres keeps the plan it made for an empty table until the table is
 * analysed, up to a minute later, and that plan reads all rows of a tenant where an index would find one (measured on a fresh database: 17 to
 * 47 ms a message at 20 000 conversations, 3 ms with a new plan).
 */
export function createStatementNames(namesMax = 500, now: () => number = Date.now): (text: string) => string | undefined {
  const names = new Map<string, number>();
  const startedAt = now();
  return (text) => {
    let number = names.get(text);
    if (number === undefined) {
      if (names.size >= namesMax) return undefined;
      names.set(text, (number = names.size + 1));
    }
    const age = now() - startedAt;
    const generation = generationEndsMs.filter((end) => age >= end).length;
    return `s${number}g${generation}`;
  };
}

const generationEndsMs = [2_000, 5_000, 15_000, 30_000, 60_000, 120_000];
