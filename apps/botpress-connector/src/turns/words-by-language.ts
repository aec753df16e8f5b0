type Words = {
  /** What a contact writes who wants a person, where the tenant has named no words of its own. */
  readonly person: readonly string[];
  /** What a contact reads who wants a person while nobody is there. */
  readonly closed: string;
};

const english: Words = {
  person: ['agent', 'human', 'human being', 'real person', 'representative', 'talk to a person', 'speak to a person', 'talk to someone', 'speak to someone'],
  closed: 'Nobody is here right now. We have noted that you want to talk to us and will get back to you.',
};

/** By the first part of the language tag; other languages have the English ones. */
const words: Readonly<Record<string, Words>> = {
  en: english,
  de: {
    person: ['mensch', 'mitarbeiter', 'mitarbeiterin', 'agent', 'berater', 'beraterin', 'kundendienst', 'jemand sprechen', 'jemandem sprechen', 'echte person'],
    closed: 'Gerade ist niemand da. Wir haben notiert, dass Sie mit uns sprechen möchten, und melden uns.',
  },
  es: {
    person: ['agente', 'humano', 'humana', 'persona real', 'asesor', 'asesora', 'representante', 'hablar con alguien', 'hablar con una persona'],
    closed: 'Ahora mismo no hay nadie. Hemos anotado que quiere hablar con nosotros y le contactaremos.',
  },
  pt: {
    person: ['atendente', 'humano', 'humana', 'agente', 'pessoa real', 'falar com alguem', 'falar com uma pessoa', 'representante'],
    closed: 'No momento não há ninguém. Anotamos que você quer falar conosco e entraremos em contato.',
  },
  fr: {
    person: ['agent', 'humain', 'humaine', 'conseiller', 'conseillere', 'vraie personne', 'parler a quelqu un', 'parler a une personne'],
    closed: "Personne n'est là pour le moment. Nous avons noté que vous souhaitez nous parler et reviendrons vers vous.",
  },
  it: {
    person: ['operatore', 'operatrice', 'umano', 'agente', 'persona reale', 'parlare con qualcuno', 'parlare con una persona'],
    closed: 'In questo momento non c’è nessuno. Abbiamo annotato che desidera parlarci e la ricontatteremo.',
  },
  nl: {
    person: ['mens', 'medewerker', 'agent', 'echt persoon', 'iemand spreken'],
    closed: 'Er is nu niemand aanwezig. We hebben genoteerd dat u ons wilt spreken en nemen contact met u op.',
  },
};

/** `language` is a BCP 47 tag. */
export function wordsOfLanguage(language: string): Words {
  return words[language.split('-')[0]?.toLowerCase() ?? ''] ?? english;
}
