import { hubError, isHubError } from '@switchboard/contracts';
import type { Dispatcher } from 'undici';
import type { EgressReply, EgressRequest } from '../port.ts';

const timeoutMsDefault = 15_000;
const responseMaxBytesDefault = 1024 * 1024;

/**
 * One request and its answer under one clock and one size cap. Errors say in `detail.sent` whether the request may have reached the other
 * side: true from the moment it is written to an open connection.
 */
export async function exchange(agent: Dispatcher, url: URL, request: EgressRequest): Promise<EgressReply> {
  const { body, headers } = await encodeBody(request);
  const timeoutMs = request.timeoutMs ?? timeoutMsDefault;
  const maxBytes = request.responseMaxBytes ?? responseMaxBytesDefault;

  return new Promise((resolve, reject) => {
    let sent = false;
    let controller: Dispatcher.DispatchController | undefined;
    let status = 0;
    let replyHeaders: EgressReply['headers'] = {};
    let size = 0;
    let ended = false;
    const chunks: Buffer[] = [];

    const end = (error?: Error) => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      if (error === undefined) resolve({ status, headers: replyHeaders, body: Buffer.concat(chunks, size) });
      else reject(error);
    };
    const giveUp = (error: Error) => {
      end(error);
      controller?.abort(error);
    };
    const timer = setTimeout(() => giveUp(hubError('egress.failed', { publicMessage: 'The other side did not answer in time.', detail: { host: url.host, reason: 'timeout', timeoutMs, sent } })), timeoutMs);

    agent.dispatch(
      // The kit's own clock runs over everything; undici's would only end earlier or later.
      { origin: url.origin, path: `${url.pathname}${url.search}`, method: request.method, headers, body, headersTimeout: 0, bodyTimeout: 0 },
      {
        onRequestStart(started) {
          controller = started;
          // The clock ran out while the connection was being made.
          if (ended) started.abort(new Error('given up'));
          else sent = true;
        },
        onResponseStart(_, statusCode, incoming) {
          status = statusCode;
          replyHeaders = Object.fromEntries(Object.entries(incoming).map(([name, value]) => [name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value]));
          if (Number(replyHeaders['content-length'] ?? 0) > maxBytes) giveUp(tooLarge(url, maxBytes));
        },
        onResponseData(_, chunk) {
          size += chunk.length;
          if (size > maxBytes) giveUp(tooLarge(url, maxBytes));
          else chunks.push(chunk);
        },
        onResponseEnd: () => end(),
        onResponseError: (_, error) => end(translate(error, url, sent)),
      },
    );
  });
}

function tooLarge(url: URL, maxBytes: number): Error {
  return hubError('media.too_large', { publicMessage: `The answer is larger than ${maxBytes} bytes.`, detail: { host: url.host, sent: true } });
}

/** Refusals of the guard pass; everything else is the network. */
function translate(error: Error, url: URL, sent: boolean): Error {
  if (isHubError(error)) return error;
  const { code } = error as { code?: unknown };
  return hubError('egress.failed', { detail: { host: url.host, reason: typeof code === 'string' ? code : error.name, sent }, cause: error });
}

async function encodeBody({ body, headers }: EgressRequest): Promise<{ body: string | Buffer | null; headers: Record<string, string> }> {
  if (!(body instanceof FormData)) return { body: body ?? null, headers: { ...headers } };
  // Written out here: providers want a Content-Length, and a stream has none.
  const encoded = new Response(body);
  return { body: Buffer.from(await encoded.arrayBuffer()), headers: { ...headers, 'content-type': encoded.headers.get('content-type') ?? 'multipart/form-data' } };
}
