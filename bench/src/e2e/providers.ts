import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';

const agent = new Agent({ connections: 16 });

/** The provider-sandbox as a process of its own: its CPU is nobody's in the figures. */
export type Providers = { readonly url: string; readonly pid: number; stop(): void };

export async function startProviders(port: number, publicWebhookUrl: string): Promise<Providers> {
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', new URL('../../../apps/provider-sandbox/src/main.ts', import.meta.url).pathname], {
    env: { PATH: process.env['PATH'], PORT: String(port), LOG_LEVEL: 'warn', INTERNAL_TOKEN_SECRET: randomBytes(32).toString('hex'), SANDBOX_PUBLIC_URL: url, PUBLIC_WEBHOOK_URL: publicWebhookUrl },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  for (let tries = 0; tries < 300; tries++) {
    if (child.exitCode !== null) throw new Error('the sandbox ended before it was ready');
    const isReady = await fetch(`${url}/health/ready`).then((answer) => answer.ok, () => false);
    if (isReady) return { url, pid: child.pid ?? 0, stop: () => void child.kill('SIGTERM') };
    await sleep(100);
  }
  throw new Error('the sandbox did not get ready');
}

export async function callJson<T>(method: 'GET' | 'POST' | 'PUT', url: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<T> {
  const { statusCode, body: answer } = await request(url, { method, dispatcher: agent, headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }, body: body === undefined ? null : JSON.stringify(body) });
  const text = await answer.text();
  if (statusCode >= 300) throw new Error(`${method} ${url} answered ${statusCode} ${text}`);
  return JSON.parse(text) as T; // the caller names what this address answers
}

/** How many requests the sandbox has answered so far. */
export async function countAnswered({ url }: Providers): Promise<number> {
  const { body } = await request(`${url}/metrics`, { dispatcher: agent });
  const lines = (await body.text()).matchAll(/^switchboard_http_request_seconds_count\{method="POST"[^}]*\} (\d+)$/gm);
  return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
}
