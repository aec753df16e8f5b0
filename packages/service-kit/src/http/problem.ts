import { errorCatalogue, hubError, isHubError, type HubError, type Problem } from '@switchboard/contracts';
import { currentTrace } from '@switchboard/tenant-context';
import type { ServerResponse } from 'node:http';

/** Seconds a caller is asked to wait when the error itself does not say. */
const retryAfterSecondsDefault = 1;

/** Answers an error as application/problem+json. Does nothing but close when the answer has begun already. */
export function sendProblem(response: ServerResponse, error: HubError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = Buffer.from(JSON.stringify(problemOf(error)));
  response.statusCode = error.status;
  response.setHeader('content-type', 'application/problem+json; charset=utf-8');
  response.setHeader('content-length', body.length);
  response.setHeader('cache-control', 'no-store');
  if (error.status === 401 && !response.hasHeader('www-authenticate')) response.setHeader('www-authenticate', 'Bearer');
  const retryAfter = retryAfterOf(error);
  if (retryAfter !== undefined && !response.hasHeader('retry-after')) response.setHeader('retry-after', retryAfter);
  response.end(body);
}

/** What leaves the house of an error: catalogue words and `publicMessage`, never `detail`, message or cause. */
export function problemOf(error: HubError): Problem {
  const { title } = errorCatalogue[error.code];
  return {
    type: `urn:switchboard:error:${error.code}`,
    title,
    status: error.status,
    detail: error.publicMessage,
    code: error.code,
    requestId: currentTrace()?.requestId ?? 'unknown',
    error: title,
    ...(error.resetsAt === undefined ? {} : { resetsAt: error.resetsAt.toISOString() }),
    ...(error.issues === undefined ? {} : { issues: [...error.issues] }),
  };
}

/** Any thrown thing as a HubError: body parser and router errors by what they mean, everything unknown as `internal`. */
export function toHubError(error: unknown): HubError {
  if (isHubError(error)) return error;
  if (error instanceof Error) {
    // Errors of body-parser carry `type` (https://github.com/expressjs/body-parser#errors), those of the router `status`.
    const { type, status, limit } = error as { type?: unknown; status?: unknown; limit?: unknown };
    switch (type) {
      case 'entity.too.large':
        return hubError('request.too_large', { publicMessage: `Send a body of at most ${String(limit)} bytes.`, cause: error });
      case 'entity.parse.failed':
        return hubError('request.invalid', { publicMessage: 'The body is not valid JSON.', issues: [{ path: 'body', message: 'is not valid JSON' }], cause: error });
      case 'encoding.unsupported':
      case 'charset.unsupported':
        return hubError('request.not_json', { publicMessage: 'Send JSON in UTF-8, plain or compressed with gzip, deflate or br.', cause: error });
      default:
    }
    if (status === 400) return hubError('request.invalid', { publicMessage: 'The request cannot be read.', cause: error });
  }
  return hubError('internal', { cause: error });
}

function retryAfterOf(error: HubError): number | undefined {
  if (typeof error.retry === 'object') return Math.max(1, Math.ceil(error.retry.afterMs / 1000));
  return error.status === 503 || error.status === 429 ? retryAfterSecondsDefault : undefined;
}
