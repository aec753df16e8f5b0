import type { ServerResponse } from 'node:http';

/** Answers with a status and nothing else: providers read no body, and strangers learn nothing from one. */
export function answerEmpty(response: ServerResponse, status: number, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { ...headers, 'content-length': '0' }).end();
}
