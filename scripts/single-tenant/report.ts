/** What of an old table was done, in rows. `dryRun`: what would have been. */
export type Tally = { read: number; imported: number; alreadyThere: number; merged: number; skipped: number };

export type Skip = { readonly table: string; readonly row: string; readonly reason: string };

/** Named in the report; the others are counted. */
const skipsNamedMax = 20;

const order = ['tenants', 'credentials', 'apiKeys', 'mappings', 'messages'] as const;
export type Subject = (typeof order)[number];

const words: Readonly<Record<Subject, string>> = { tenants: 'tenants', credentials: 'connections', apiKeys: 'API keys', mappings: 'mappings', messages: 'messages' };

export type Report = ReturnType<typeof createReport>;

/** Counts what happens and says it at the end. Takes names and reasons alone: nothing that is given to it may be secret. */
export function createReport(dryRun: boolean) {
  const tallies = new Map<Subject, Tally>(order.map((subject) => [subject, { read: 0, imported: 0, alreadyThere: 0, merged: 0, skipped: 0 }]));
  const skips: Skip[] = [];
  const notes = new Set<string>();
  const tally = (subject: Subject): Tally => {
    const found = tallies.get(subject);
    if (found === undefined) throw new Error(`no tally of ${subject}`);
    return found;
  };
  return {
    count(subject: Subject, what: keyof Tally, rows = 1): void {
      tally(subject)[what] += rows;
    },
    skip(subject: Subject, skip: Skip): void {
      tally(subject).skipped += 1;
      if (skips.length < skipsNamedMax) skips.push(skip);
    },
    note(sentence: string): void {
      notes.add(sentence);
    },
    /** The report as text, for people; the table's form is stable for scripts. */
    text(): string {
      const header = ['', 'read', dryRun ? 'would import' : 'imported', 'already there', 'merged', 'skipped'];
      const rows = order.map((subject) => {
        const { read, imported, alreadyThere, merged, skipped } = tally(subject);
        return [words[subject], ...[read, imported, alreadyThere, merged, skipped].map(String)];
      });
      const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)));
      const lines = [header, ...rows].map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  '));
      const total = [...tallies.values()].reduce((sum, { skipped }) => sum + skipped, 0);
      return [
        ...lines,
        ...(skips.length === 0 ? [] : ['', total > skips.length ? `skipped (the first ${skips.length} of ${total}):` : 'skipped:', ...skips.map(({ table, row, reason }) => `  ${table} ${row}: ${reason}`)]),
        ...(notes.size === 0 ? [] : ['', 'notes:', ...[...notes].map((note) => `  ${note}`)]),
        '',
        dryRun ? 'dry run: nothing was written' : 'done',
      ].join('\n');
    },
  };
}
