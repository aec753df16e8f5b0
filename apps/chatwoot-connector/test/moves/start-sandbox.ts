import { startSandbox as startProcess } from '@switchboard/service-kit/testing';

export type Sandbox = { readonly ask: <Reply = Record<string, unknown>>(method: 'GET' | 'POST', path: string, body?: unknown) => Promise<Reply>; readonly stop: () => void };

/** The stand-in for Chatwoot's servers as a process of its own: what it was sent stands there, whatever becomes of those who sent it. */
export async function startSandbox(): Promise<Sandbox> {
  const { ask, stop } = await startProcess();
  return { ask: (method, path, body) => ask(method, `/chatwoot${path}`, body), stop };
}
