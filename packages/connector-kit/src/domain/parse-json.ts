/** Undefined for what is no JSON: an HTML page of a proxy, a throttle's plain text. */
export function parseJson(text: Buffer | string): unknown {
  try {
    return JSON.parse(text.toString());
  } catch {
    return undefined;
  }
}
