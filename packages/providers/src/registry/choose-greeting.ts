import { greetingsSchema, type Greeting } from './twilio-greetings.ts';

/** What a caller hears, and in which language. */
export type ChosenGreeting = { readonly language: string; readonly greeting: Greeting };

/**
 * The greeting of voicemail for a caller from this country (two letters; empty when it is not known): the tenant's whose language is of that country, else
 * the one in the connection's language, else the first one of the same language elsewhere, else words of ours in it. Pure, never throws.
 */
export function chooseGreeting(settings: Readonly<Record<string, string>>, callerCountry: string): ChosenGreeting {
  const language = settings['language'] ?? 'en-US';
  const given = greetingsSchema.safeParse(settings['greetings'] ?? '{}');
  const greetings = given.success ? Object.entries(given.data) : [];
  const chosen =
    greetings.find(([tag]) => callerCountry !== '' && regionOf(tag) === callerCountry.toUpperCase()) ??
    greetings.find(([tag]) => tag.toLowerCase() === language.toLowerCase()) ??
    greetings.find(([tag]) => baseOf(tag) === baseOf(language));
  if (chosen !== undefined) return { language: chosen[0], greeting: chosen[1] };
  const text = builtIn.get(baseOf(language));
  return text === undefined ? { language: 'en-US', greeting: { text: english } } : { language, greeting: { text } };
}

const english = 'Please leave a message after the tone.';

const builtIn: ReadonlyMap<string, string> = new Map([
  ['en', english],
  ['es', 'Por favor, deje un mensaje después de la señal.'],
  ['pt', 'Por favor, deixe uma mensagem após o sinal.'],
  ['de', 'Bitte hinterlassen Sie nach dem Ton eine Nachricht.'],
  ['fr', 'Veuillez laisser un message après le signal sonore.'],
]);

/** `pt` of `pt-BR`. */
export function baseOf(tag: string): string {
  return tag.split('-', 1)[0]?.toLowerCase() ?? '';
}

/** `BR` of `pt-BR`; undefined without a country. */
function regionOf(tag: string): string | undefined {
  return tag.split('-').slice(1).find((part) => part.length === 2)?.toUpperCase();
}
