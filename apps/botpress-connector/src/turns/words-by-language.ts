type Words = {
  /** What a contact writes who wants a person, where the tenant has named no words of its own. */
  readonly person: readonly string[];
  /** What a contact reads who wants a person while nobody is there. */
  readonly closed: string;
  readonly booking: {
    readonly noted: (time: string) => string;
    /** Without a time, and none to offer. */
    readonly open: string;
    readonly taken: string;
    readonly choose: string;
  };
};

const english: Words = {
  person: ['agent', 'human', 'human being', 'real person', 'representative', 'talk to a person', 'speak to a person', 'talk to someone', 'speak to someone'],
  closed: 'Nobody is here right now. We have noted that you want to talk to us and will get back to you.',
  booking: {
    noted: (time) => `Your booking is noted: ${time}. We will confirm it.`,
    open: 'Your booking is noted. We will get back to you with a time.',
    taken: 'This time is not available.',
    choose: 'Which of these times suits you?',
  },
};

/** By the first part of the language tag; other languages have the English ones. */
const words: Readonly<Record<string, Words>> = {
  en: english,
  de: {
    person: ['mensch', 'mitarbeiter', 'mitarbeiterin', 'agent', 'berater', 'beraterin', 'kundendienst', 'jemand sprechen', 'jemandem sprechen', 'echte person'],
    closed: 'Gerade ist niemand da. Wir haben notiert, dass Sie mit uns sprechen möchten, und melden uns.',
    booking: {
      noted: (time) => `Ihr Termin ist notiert: ${time}. Wir bestätigen ihn noch.`,
      open: 'Ihr Terminwunsch ist notiert. Wir melden uns mit einer Zeit.',
      taken: 'Diese Zeit ist nicht frei.',
      choose: 'Welche dieser Zeiten passt Ihnen?',
    },
  },
  es: {
    person: ['agente', 'humano', 'humana', 'persona real', 'asesor', 'asesora', 'representante', 'hablar con alguien', 'hablar con una persona'],
    closed: 'Ahora mismo no hay nadie. Hemos anotado que quiere hablar con nosotros y le contactaremos.',
    booking: {
      noted: (time) => `Su reserva está anotada: ${time}. Se la confirmaremos.`,
      open: 'Su reserva está anotada. Le propondremos una hora.',
      taken: 'Esa hora no está disponible.',
      choose: '¿Cuál de estas horas le conviene?',
    },
  },
  pt: {
    person: ['atendente', 'humano', 'humana', 'agente', 'pessoa real', 'falar com alguem', 'falar com uma pessoa', 'representante'],
    closed: 'No momento não há ninguém. Anotamos que você quer falar conosco e entraremos em contato.',
    booking: {
      noted: (time) => `Seu agendamento está anotado: ${time}. Vamos confirmá-lo.`,
      open: 'Seu agendamento está anotado. Vamos propor um horário.',
      taken: 'Esse horário não está disponível.',
      choose: 'Qual destes horários é melhor para você?',
    },
  },
  fr: {
    person: ['agent', 'humain', 'humaine', 'conseiller', 'conseillere', 'vraie personne', 'parler a quelqu un', 'parler a une personne'],
    closed: "Personne n'est là pour le moment. Nous avons noté que vous souhaitez nous parler et reviendrons vers vous.",
    booking: {
      noted: (time) => `Votre rendez-vous est noté : ${time}. Nous vous le confirmerons.`,
      open: 'Votre demande de rendez-vous est notée. Nous vous proposerons une heure.',
      taken: "Cette heure n'est pas disponible.",
      choose: 'Laquelle de ces heures vous convient ?',
    },
  },
  it: {
    person: ['operatore', 'operatrice', 'umano', 'agente', 'persona reale', 'parlare con qualcuno', 'parlare con una persona'],
    closed: 'In questo momento non c’è nessuno. Abbiamo annotato che desidera parlarci e la ricontatteremo.',
    booking: {
      noted: (time) => `La sua prenotazione è annotata: ${time}. Gliela confermeremo.`,
      open: 'La sua prenotazione è annotata. Le proporremo un orario.',
      taken: 'Questo orario non è disponibile.',
      choose: 'Quale di questi orari preferisce?',
    },
  },
  nl: {
    person: ['mens', 'medewerker', 'agent', 'echt persoon', 'iemand spreken'],
    closed: 'Er is nu niemand aanwezig. We hebben genoteerd dat u ons wilt spreken en nemen contact met u op.',
    booking: {
      noted: (time) => `Uw afspraak is genoteerd: ${time}. Wij bevestigen deze nog.`,
      open: 'Uw afspraak is genoteerd. Wij komen bij u terug met een tijd.',
      taken: 'Deze tijd is niet beschikbaar.',
      choose: 'Welke van deze tijden schikt u?',
    },
  },
};

/** `language` is a BCP 47 tag. */
export function wordsOfLanguage(language: string): Words {
  return words[language.split('-')[0]?.toLowerCase() ?? ''] ?? english;
}
