import type { ServerResponse } from 'node:http';

/** Answers with a status and nothing else: providers read no body, and strangers learn nothing from one. */
export function answerEmpty(response: ServerResponse, status: number, headers: Readonly<Record<string, string>> = {}): void {
  // RFC 9110, 8.6: an answer without content by its status states no length of one.
  response.writeHead(status, { ...headers, ...(status === 204 ? {} : { 'content-length': '0' }) }).end();
}
