/** A table with columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length))) ?? [];
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd());
  lines.splice(1, 0, widths.map((width) => '─'.repeat(width)).join('  '));
  return lines.join('\n');
}

const columnWidth = 54;

/** Two lists of lines next to each other, long lines wrapped. */
export function sideBySide(left: readonly string[], right: readonly string[]): string {
  const [a, b] = [left.flatMap(wrap), right.flatMap(wrap)];
  return Array.from({ length: Math.max(a.length, b.length) }, (_, index) => `${(a[index] ?? '').padEnd(columnWidth)} │ ${b[index] ?? ''}`.trimEnd()).join('\n');
}

function wrap(line: string): string[] {
  const characters = [...line];
  const pieces = [characters.slice(0, columnWidth).join('')];
  // What goes on is indented.
  for (let start = columnWidth; start < characters.length; start += columnWidth - 4) pieces.push(`    ${characters.slice(start, start + columnWidth - 4).join('')}`);
  return pieces;
}
