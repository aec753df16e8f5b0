import { hubError } from '@switchboard/contracts';

export type GroupedWorkOptions<Item> = {
  /** Does the work of a whole group; what it throws is thrown to everyone in it. */
  readonly run: (items: readonly Item[]) => Promise<void>;
  /** How many groups run at once. While they do, the next one gathers. */
  readonly groupsAtOnceMax: number;
  /** Items of a group at most; one submission may hold more and then goes alone. */
  readonly itemsMax: number;
  /** Bytes, or another measure of size; of a group at most. */
  readonly weightOf: (item: Item) => number;
  readonly weightMax: number;
  /** Weight of everything that waits; beyond it `submit` refuses at once. */
  readonly waitingWeightMax: number;
  /** Milliseconds from `submit` until the caller gets `storage.unavailable`, whatever becomes of the work; a group that runs longer no longer keeps the next one waiting. */
  readonly timeoutMs: number;
};

export interface GroupedWork<Item> {
  /** Resolves when the group of these items is done. They stay together in one group, in their order. */
  submit(items: readonly Item[]): Promise<void>;
  /** Resolves when nothing waits or runs any more. */
  drained(): Promise<void>;
}

type Submission<Item> = { readonly items: readonly Item[]; readonly weight: number; readonly settle: (error?: unknown) => void; isOver: boolean };

/**
 * Turns the work of many concurrent callers into few large pieces: one commit instead of a hundred. Nothing is held back on purpose: a
 * lone caller's work starts in the same turn of the event loop, and what arrives while a group runs makes the next group.
 */
export function createGroupedWork<Item>(options: GroupedWorkOptions<Item>): GroupedWork<Item> {
  let waiting: Submission<Item>[] = [];
  let waitingWeight = 0;
  let running = 0;
  let isStarting = false;
  let idle: (() => void)[] = [];

  function start(): void {
    isStarting = false;
    while (running < options.groupsAtOnceMax && waiting.length > 0) void runGroup(takeGroup());
    if (running === 0 && waiting.length === 0) {
      for (const resolve of idle) resolve();
      idle = [];
    }
  }

  function takeGroup(): Submission<Item>[] {
    const group: Submission<Item>[] = [];
    let items = 0;
    let weight = 0;
    for (const submission of waiting) {
      if (group.length > 0 && (items + submission.items.length > options.itemsMax || weight + submission.weight > options.weightMax)) break;
      group.push(submission);
      items += submission.items.length;
      weight += submission.weight;
    }
    waiting = waiting.slice(group.length);
    waitingWeight -= weight;
    // Who has been told "unavailable" will come again; doing the work for nobody would delay those who still wait.
    return group.filter((submission) => !submission.isOver);
  }

  async function runGroup(group: readonly Submission<Item>[]): Promise<void> {
    if (group.length === 0) return;
    running++;
    try {
      await withinTime(options.run(group.flatMap((submission) => submission.items)), options.timeoutMs);
      for (const submission of group) submission.settle();
    } catch (error) {
      for (const submission of group) submission.settle(error);
    } finally {
      running--;
      start();
    }
  }

  return {
    submit(items) {
      return new Promise<void>((resolve, reject) => {
        const weight = items.reduce((sum, item) => sum + options.weightOf(item), 0);
        if (waitingWeight + weight > options.waitingWeightMax && waiting.length > 0) {
          reject(hubError('storage.unavailable', { detail: { reason: 'too much waits already', waitingWeight } }));
          return;
        }
        const submission: Submission<Item> = {
          items,
          weight,
          isOver: false,
          settle(error) {
            clearTimeout(timer);
            submission.isOver = true;
            if (error === undefined) resolve();
            else reject(error);
          },
        };
        const timer = setTimeout(() => submission.settle(tooLate(options.timeoutMs)), options.timeoutMs);
        waiting.push(submission);
        waitingWeight += weight;
        if (isStarting || running >= options.groupsAtOnceMax) return;
        // After the I/O of this turn: requests that arrived together are stored together.
        isStarting = true;
        setImmediate(start);
      });
    },
    drained: () =>
      new Promise((resolve) => {
        idle.push(resolve);
        if (!isStarting) start();
      }),
  };
}

/** A connection that died without a word may keep its query for minutes; those who come later must not wait behind it. */
async function withinTime(work: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooLate(timeoutMs)), timeoutMs);
  });
  try {
    await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function tooLate(timeoutMs: number) {
  return hubError('storage.unavailable', { detail: { reason: `not done within ${timeoutMs} ms` } });
}
