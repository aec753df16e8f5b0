/**
 * The same JSON without what Postgres refuses in text: NUL characters and halves of surrogate pairs. Contacts' phones do send them, and
 * one must not make a dead letter of a message. Pure.
 */
export function toStorable<T>(value: T): T {
  // The cast is safe: strings stay strings, and every other shape is rebuilt as it was.
  return cleaned(value) as T;
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\u0000', '');
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [cleaned(name), cleaned(field)]));
}
