/** A word joiner between the braces of a Liquid tag: Chatwoot runs outgoing text as a template before it stores it, and shows nothing of the joiner (contract, 2.4). */
export function withoutLiquid(text: string): string {
  return text.replaceAll(/\{(?=[{%])/g, '{\u2060');
}
