import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export type Measured = { readonly name: string; readonly does: string; readonly child: ChildProcess; readonly port: number };
/** What a load's process printed, and CPU time of the measured process for each answer. */
export type Round<Result> = Result & { readonly cpuMicros: number };

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** A process that says where it listens, on a line of its own or in its log. `path` is relative to this folder. */
export async function startProcess(name: string, does: string, path: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Measured> {
  const child = spawn(process.execPath, [...(process.env['BENCH_NODE_FLAGS']?.split(' ') ?? []), file(path), ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve, reject) => {
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const found = /listening (\d+)|"url":"http:\/\/[^"]*:(\d+)"/.exec(output);
      if (found !== null) resolve(Number(found[1] ?? found[2]));
    });
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code} before it listened:\n${output}`)));
  });
  return { name, does, child, port };
}

/** Runs `loadFile` as a process of its own, with these options and the measured one's port, and takes what it prints for its result. */
export async function load<Result extends { readonly answered: number }>(measured: Measured, loadFile: string, options: object): Promise<Round<Result>> {
  const before = cpuMicrosOf(measured.child);
  const { stdout } = await promisify(execFile)(process.execPath, [file(loadFile), JSON.stringify({ ...options, port: measured.port })], { maxBuffer: 1024 * 1024 });
  const result = JSON.parse(stdout) as Result; // the caller names the form that this file prints
  return { ...result, cpuMicros: (cpuMicrosOf(measured.child) - before) / Math.max(1, result.answered) };
}

/** User and system time of the process, in microseconds; Linux counts hundredths of seconds. */
function cpuMicrosOf({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** Resident memory of the process, in MiB. */
export function memoryMiBOf({ child }: { readonly child: { readonly pid?: number | undefined } }): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024);
}

export const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
