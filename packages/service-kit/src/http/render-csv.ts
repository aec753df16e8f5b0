type Cell = string | number | null;

/** CSV by RFC 4180: CRLF after each line, quotes where they are needed. A text that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, CSV injection). */
export function renderCsv(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(renderCell).join(',')}\r\n`).join('');
}

function renderCell(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const harmless = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
