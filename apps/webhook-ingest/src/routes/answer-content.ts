import type { ServerResponse } from 'node:http';

/** Answers with what the provider shall do, in the type that it reads. */
export function answerContent(response: ServerResponse, status: number, contentType: string | undefined, body: string): void {
  response
    .writeHead(status, { 'content-type': contentType ?? 'application/octet-stream', 'x-content-type-options': 'nosniff', 'cache-control': 'no-store', 'content-length': Buffer.byteLength(body) })
    .end(body);
}
