import { newId, type TenantId } from '@switchboard/contracts';
import { setTimeout as sleep } from 'node:timers/promises';
import { noteOf, openBus, publishNote, storeEffect, type BusPlace, type NoteType } from './bus-under-test.ts';

/**
 * A consumer in a process of its own, so that tests can end it as the world does: SIGKILL in the middle, SIGTERM to drain. Run as a script with
 * one argument, a ChildTask in JSON. Writes a line for each step to stdout: `ready`, `began <key> <n>`, `ended <key> <n>`, `stopped`.
 */
export type ChildTask = {
  readonly place: BusPlace;
  readonly group: string;
  readonly run: string;
  readonly name: string;
  /** How long a handler takes. */
  readonly workMs: number;
  /** The handler of this key never ends. */
  readonly stuckKey?: string;
  readonly effect: 'transaction' | 'external';
  readonly type?: NoteType;
  /** Publishes the first note of this key when it is ready, and is killed between the commit and the waking of the reader. */
  readonly diesPublishing?: { readonly tenantId: TenantId; readonly key: string };
};

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const task = JSON.parse(process.argv[2] ?? '{}') as ChildTask;
const { diesPublishing } = task;
const { bus, unitOfWork, close } = openBus(task.place, diesPublishing === undefined ? {} : { afterCommit: () => process.kill(process.pid, 'SIGKILL') });

bus.subscribe({
  type: task.type ?? 'conversation.changed',
  group: task.group,
  effect: task.effect,
  async handle(event, context) {
    const { run, key, n } = noteOf(event);
    if (run !== task.run) return;
    say(`began ${key} ${n}`);
    await sleep(key === task.stuckKey ? 3_600_000 : task.workMs);
    await context.commit(() => storeEffect(unitOfWork, event, task.name));
    say(`ended ${key} ${n}`);
  },
});

process.on('SIGTERM', () => {
  void close().then(() => {
    say('stopped');
    process.exit(0);
  });
});

await bus.start();
say('ready');
if (diesPublishing !== undefined) await publishNote(bus, diesPublishing.tenantId, { run: task.run, key: diesPublishing.key, n: 1 }, newId('evt'), task.type);
