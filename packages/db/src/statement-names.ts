/**
 * Names for prepared statements: a text that comes again is parsed and planned once a connection. Bounded, because a text with a list in it has
 * many forms and the server keeps every named one; beyond the bound, statements stay unnamed.
 */
export function createStatementNames(namesMax = 500): (text: string) => string | undefined {
  const names = new Map<string, string>();
  return (text) => {
    const known = names.get(text);
    if (known !== undefined) return known;
    if (names.size >= namesMax) return undefined;
    const name = `s${names.size + 1}`;
    names.set(text, name);
    return name;
  };
}
