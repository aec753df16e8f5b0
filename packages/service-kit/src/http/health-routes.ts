import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { RawRoute } from '../port.ts';

/** What must hold for the service to take requests: name → undefined when fine, else what is wrong. */
export type Checks = Readonly<Record<string, () => Promise<string | undefined>>>;

/** Milliseconds a check may take before it counts as failed: shorter than the second that orchestrators wait for an answer. */
const checkTimeoutMs = 800;

/**
 * `/health/live` (the process answers), `/health/ready` (what the service needs is there, and it is not draining).
 * The answer names the checks; why one failed stands in the log, because these paths are open.
 */
export function healthRoutes(options: { readonly checks: Checks; readonly isDraining: () => boolean; readonly log: Logger }): RawRoute[] {
  const { checks, isDraining, log } = options;
  return [
    { method: 'GET', pattern: /^\/health\/live$/, name: '/health/live', handle: (_, response) => sendJson(response, 200, { status: 'ok' }) },
    {
      method: 'GET',
      pattern: /^\/health\/ready$/,
      name: '/health/ready',
      handle: async (_: IncomingMessage, response: ServerResponse) => {
        if (isDraining()) {
          sendJson(response, 503, { status: 'draining' });
          return;
        }
        const faults = await Promise.all(Object.entries(checks).map(async ([name, check]) => [name, await faultOf(check)] as const));
        const failed = faults.filter(([, fault]) => fault !== undefined);
        for (const [name, fault] of failed) log.warn({ check: name, fault }, 'not ready');
        sendJson(response, failed.length === 0 ? 200 : 503, {
          status: failed.length === 0 ? 'ready' : 'not_ready',
          checks: Object.fromEntries(faults.map(([name, fault]) => [name, fault === undefined ? 'ok' : 'failed'])),
        });
      },
    },
  ];
}

async function faultOf(check: () => Promise<string | undefined>): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${checkTimeoutMs} ms`), checkTimeoutMs);
  });
  try {
    return await Promise.race([check(), timeout]);
  } catch (error) {
    return String(error);
  } finally {
    clearTimeout(timer);
  }
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' }).end(JSON.stringify(value));
}
