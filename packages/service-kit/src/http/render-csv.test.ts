import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { renderCsv } from './render-csv.ts';

describe('CSV', () => {
  it('quotes what would end a cell, and leaves what is nothing empty', () => {
    expect(renderCsv([['a', 'b,c', 'say "hi"', 'two\nlines', 7, null]])).toBe('a,"b,c","say ""hi""","two\nlines",7,\r\n');
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1'])('never begins a cell with what a spreadsheet runs: %j', (name) => {
    expect(renderCsv([[name]])).toMatch(/^"?'/);
  });

  it('can be read back, whatever the texts hold', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.string(), { minLength: 2, maxLength: 4 }), { maxLength: 4 }), (rows) => {
        const read = parse(renderCsv(rows)).map((row) => row.map((cell) => (/^'[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell)));
        const written = rows.map((row) => row.map((cell) => (/^'[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell)));
        expect(read).toEqual(written);
      }),
    );
  });
});

/** A reader of RFC 4180 that knows nothing of the writer. */
function parse(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const cells = /(?:"((?:[^"]|"")*)"|([^,"\r\n]*))(,|\r\n)/gy;
  for (let match = cells.exec(text); match !== null; match = cells.exec(text)) {
    row.push(match[1] === undefined ? (match[2] ?? '') : match[1].replaceAll('""', '"'));
    if (match[3] === '\r\n') {
      rows.push(row);
      row = [];
    }
  }
  return rows;
}
