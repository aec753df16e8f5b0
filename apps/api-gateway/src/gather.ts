/**
 * Asks many questions at once: while one call is under way, those that come are gathered for the next. A question that finds nothing under way is
 * asked at once, alone. A call that takes longer than `patienceMs` does not hold up the next. `ask` answers in the order of the questions.
 */
export function createGather<Question, Answer>({ ask, questionsMax, patienceMs }: { readonly ask: (questions: readonly Question[]) => Promise<readonly Answer[]>; readonly questionsMax: number; readonly patienceMs: number }): (question: Question) => Promise<Answer> {
  type Waiting = { readonly question: Question; readonly resolve: (answer: Answer) => void; readonly reject: (error: unknown) => void };
  let waiting: Waiting[] = [];
  let isBusy = false;

  async function send(batch: readonly Waiting[]): Promise<void> {
    let isOver = false;
    const goOn = () => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      isBusy = false;
      next();
    };
    const timer = setTimeout(goOn, patienceMs);
    try {
      const answers = await ask(batch.map(({ question }) => question));
      if (answers.length !== batch.length) throw new Error(`${answers.length} answers to ${batch.length} questions`);
      batch.forEach(({ resolve }, index) => resolve(answers[index] as Answer)); // as many as questions, see above
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      goOn();
    }
  }

  function next(): void {
    if (isBusy || waiting.length === 0) return;
    const batch = waiting.slice(0, questionsMax);
    waiting = waiting.slice(questionsMax);
    isBusy = true;
    void send(batch);
  }

  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      next();
    });
}
