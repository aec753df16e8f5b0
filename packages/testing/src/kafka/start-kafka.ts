import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { kafkaInfraDirectory, kafkaJars } from './kafka-jars.ts';

export type KafkaOptions = {
  /** Holds settings, log and records; made when it does not exist, taken up again when it does. */
  readonly directory: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Default: a free one. */
  readonly controllerPort?: number;
  /** Lives on when this process ends; then `pid` is what stops it. Default false. */
  readonly detached?: boolean;
  /** Lives as long as a test: its code is compiled quickly instead of well, which spares a quarter of what such a broker costs. Default false. */
  readonly brief?: boolean;
};

export interface RunningKafka {
  /** host:port for clients. */
  readonly brokers: string;
  readonly pid: number;
  /** SIGTERM, and waits: the broker writes its records out and leaves its groups. */
  stop(): Promise<void>;
  /** SIGKILL: the machine is gone. */
  kill(): Promise<void>;
  /** Starts it again with the same records on the same port. */
  start(): Promise<void>;
}

/** Starts a real Kafka broker (KRaft, one node) as a child process, ready for clients when the promise resolves: about 4 s. Throws with the broker's last lines. */
export async function startKafka(options: KafkaOptions): Promise<RunningKafka> {
  const jars = await kafkaJars();
  const port = options.port ?? (await freePort());
  const controllerPort = options.controllerPort ?? (await freePort());
  await mkdir(options.directory, { recursive: true });
  const settings = `${options.directory}/server.properties`;
  const template = await readFile(`${kafkaInfraDirectory}server.properties`, 'utf8');
  const values: Record<string, string> = { PORT: String(port), CONTROLLER_PORT: String(controllerPort), DIRECTORY: options.directory };
  await writeFile(settings, template.replaceAll(/\$\{([A-Z_]+)\}/g, (_, name: string) => values[name] ?? ''));
  if (!existsSync(`${options.directory}/log/meta.properties`)) await format(jars, settings);

  let child = await launch(jars, options, settings);
  // An exception elsewhere must not leave the broker behind.
  if (options.detached !== true) process.once('exit', () => child.kill('SIGKILL'));
  return {
    brokers: `127.0.0.1:${port}`,
    get pid() {
      return pidOf(child);
    },
    stop: () => end(child, 'SIGTERM'),
    kill: () => end(child, 'SIGKILL'),
    async start() {
      child = await launch(jars, options, settings);
    },
  };
}

// A small heap and the serial collector: the broker shares two cores with what is tested.
const jvm = ['-Xmx512m', '-Xms128m', '-XX:+UseSerialGC', '-Djava.awt.headless=true'];
const quicklyCompiled = ['-XX:TieredStopAtLevel=1'];

async function format(jars: string, settings: string): Promise<void> {
  const clusterId = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');
  // With `=`: one random id in 64 begins with a hyphen, and would be read as an option.
  const command = ['kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '-c', settings];
  await promisify(execFile)('java', [...jvm, ...quicklyCompiled, '-cp', `${jars}/*`, ...command]);
}

async function launch(jars: string, options: KafkaOptions, settings: string): Promise<ChildProcess> {
  const path = `${options.directory}/broker.log`;
  const log = await open(path, 'w');
  const child = spawn('java', [...jvm, ...(options.brief === true ? quicklyCompiled : []), `-Dlog4j2.configurationFile=${kafkaInfraDirectory}log4j2.properties`, '-cp', `${jars}/*`, 'kafka.Kafka', settings], {
    stdio: ['ignore', log.fd, log.fd],
    detached: options.detached ?? false,
  });
  await log.close();
  if (options.detached) child.unref();
  const deadline = Date.now() + 60_000;
  for (;;) {
    const text = await readFile(path, 'utf8');
    if (text.includes('Kafka Server started')) return child;
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`Kafka did not start:\n${text.slice(-2_000)}`);
    }
    await sleep(50);
  }
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  // A detached broker does not keep this process alive; waiting for its end must.
  child.ref();
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  await exited;
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('Kafka is not running');
  return child.pid;
}

/** A port nobody listens on now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}
