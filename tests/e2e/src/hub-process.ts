import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../..');
const serviceNames = ['API_GATEWAY', 'AUTH_SERVICE', 'STATE_MANAGER', 'WEBHOOK_INGEST', 'WHATSAPP_CONNECTOR', 'GENESYS_CONNECTOR', 'CHATWOOT_CONNECTOR', 'TENANT_SERVICE', 'BOTPRESS_CONNECTOR', 'TWILIO_CONNECTOR', 'PROVIDER_SANDBOX'] as const;
type Name = (typeof serviceNames)[number];

/** Milliseconds for a cold start on two busy cores. */
const startTimeoutMs = 120_000;

/** A hub as a person starts it: `npm start` or `npm run services`, on free ports, with its own home folder. */
export class HubProcess {
  readonly home: string;
  readonly ports: Record<Name, number>;
  /** Everything that was ever printed, by all its lives. */
  output = '';
  private readonly script: 'start' | 'services';
  private readonly environment: Record<string, string>;
  private child: ChildProcess | undefined;

  private constructor(script: 'start' | 'services', home: string, ports: Record<Name, number>, environment: Record<string, string>) {
    this.script = script;
    this.home = home;
    this.ports = ports;
    this.environment = environment;
  }

  static async create(script: 'start' | 'services', home: string, environment: Record<string, string> = {}): Promise<HubProcess> {
    const ports = Object.fromEntries(await Promise.all(serviceNames.map(async (name) => [name, await freePort()]))) as Record<Name, number>;
    return new HubProcess(script, home, ports, environment);
  }

  url(name: Name): string {
    return `http://127.0.0.1:${this.ports[name]}`;
  }

  get adminKey(): string {
    return readFileSync(join(this.home, 'admin-key'), 'utf8').trim();
  }

  get pid(): number {
    if (this.child?.pid === undefined) throw new Error('the hub does not run');
    return this.child.pid;
  }

  /** Every secret of the home folder: each lies in a file of its own. */
  get installationSecrets(): string[] {
    const files = readdirSync(this.home, { withFileTypes: true }).filter((entry) => entry.isFile() && !entry.name.includes('.'));
    return files.map((file) => readFileSync(join(this.home, file.name), 'utf8').trim());
  }

  async start(): Promise<void> {
    const ports = Object.fromEntries(serviceNames.map((name) => [`${name}_PORT`, String(this.ports[name])]));
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, 'scripts', `${this.script}.ts`)], {
      cwd: root,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], SWITCHBOARD_HOME: this.home, LOG_LEVEL: 'debug', ...ports, ...this.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    await new Promise<void>((done, reject) => {
      let fresh = '';
      const timer = setTimeout(() => reject(new Error(`the hub did not get ready:\n${fresh.slice(-4000)}`)), startTimeoutMs);
      const take = (chunk: Buffer) => {
        const text = chunk.toString();
        this.output += text;
        fresh += text;
        if (/^ready$/m.test(fresh)) {
          clearTimeout(timer);
          done();
        }
      };
      child.stdout?.on('data', take);
      child.stderr?.on('data', take);
      child.once('exit', (code) => {
        clearTimeout(timer);
        reject(new Error(`the hub ended with ${code}:\n${fresh.slice(-4000)}`));
      });
    });
  }

  /** As Ctrl-C does; resolves with the exit code. */
  async stop(): Promise<number | null> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    return new Promise((done) => {
      child.once('exit', (code) => done(code));
      child.kill('SIGTERM');
    });
  }

  /** SIGKILL to every process of the hub at once: the machine lost its power, the servers beside it did not. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child === undefined) return;
    const gone = new Promise((done) => child.once('exit', done));
    const services = [...this.output.matchAll(/ pid (\d+)$/gm)].map((match) => Number(match[1])).slice(-serviceNames.length);
    child.kill('SIGKILL');
    if (this.script === 'services') for (const pid of services) process.kill(pid, 'SIGKILL');
    await gone;
  }
}

export function freePort(): Promise<number> {
  return new Promise((done, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (typeof address === 'object' && address !== null ? done(address.port) : reject(new Error('no port'))));
    });
  });
}
