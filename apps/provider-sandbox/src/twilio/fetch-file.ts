import { request } from 'undici';
import type { FetchFile } from './message-life.ts';

const timeoutMs = 15_000;

/** A `MediaUrl` as Twilio fetches it: without credentials, and only a 200 with a type counts. */
export const fetchFile: FetchFile = async (url) => {
  try {
    const { statusCode, headers, body } = await request(url, { headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
    const bytes = Buffer.from(await body.arrayBuffer());
    const contentType = String(headers['content-type'] ?? '').split(';', 1)[0] ?? '';
    return statusCode === 200 && contentType !== '' ? { contentType, bytes } : undefined;
  } catch {
    // A file that is not to be had is an outcome here.
    return undefined;
  }
};
