import * as fc from 'fast-check';

/** The same JSON with a few places replaced, dropped or doubled: what a provider's next version, a relay or an attacker sends. */
export function arbitraryMutation(json: unknown): fc.Arbitrary<unknown> {
  return fc
    .array(fc.record({ at: fc.nat(), how: fc.constantFrom('replace', 'drop', 'double', 'null'), value: fc.jsonValue({ maxDepth: 2 }) }), { minLength: 1, maxLength: 4 })
    .map((mutations) => mutations.reduce((mutated, { at, how, value }) => mutate(mutated, at, how, value), structuredClone(json)));
}

function mutate(json: unknown, at: number, how: string, value: unknown): unknown {
  const places = placesOf(json);
  const place = places[at % Math.max(places.length, 1)];
  if (place === undefined) return value;
  const { parent, key } = place;
  if (how === 'drop') Reflect.deleteProperty(parent, key);
  else Reflect.set(parent, key, how === 'null' ? null : how === 'double' ? [Reflect.get(parent, key), Reflect.get(parent, key)] : value);
  return json;
}

function placesOf(json: unknown): { parent: object; key: string }[] {
  if (typeof json !== 'object' || json === null) return [];
  return Object.keys(json).flatMap((key) => [{ parent: json, key }, ...placesOf(Reflect.get(json, key))]);
}
