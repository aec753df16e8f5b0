import type { FetchedMedia } from '@switchboard/connector-kit';
import { hubError } from '@switchboard/contracts';
import { withoutSlash, type ChatwootAccount } from './account.ts';

/** Chatwoot leads to its storage by one redirect, and a proxy before it may add another. */
const redirectsMax = 5;
/** Bytes: the largest file that an unchanged server takes is 40 MB. */
const fileBytesMax = 100 * 1024 * 1024;

/**
 * Fetches an attachment by its `data_url`. Each step of a redirect is its own guarded call; the token goes to the files of the account's own server
 * alone, and only where that asks for it (its links are signed).
 */
export async function fetchFile(account: ChatwootAccount, url: string, bytesMax: number): Promise<FetchedMedia> {
  let at = url;
  for (let step = 0; step <= redirectsMax; step++) {
    const reply = await getOnce(account, at, Math.min(bytesMax, fileBytesMax));
    const { location } = reply.headers;
    if (reply.status >= 300 && reply.status < 400 && location !== undefined) {
      at = absolute(location, at);
      continue;
    }
    if (reply.status === 410) throw hubError('media.not_found', { retry: 'never', detail: { status: reply.status } });
    // A file may lie there a moment after its message was told (chatwoot#15540): 404 is asked again.
    if (reply.status >= 300) throw hubError('media.unavailable', { detail: { status: reply.status } });
    return { bytes: reply.body, mimeType: reply.headers['content-type']?.split(';')[0] };
  }
  throw hubError('media.unavailable', { publicMessage: 'The address of the attachment leads on and on.', retry: 'never', detail: { redirectsMax } });
}

async function getOnce({ egress, apiUrl, token }: ChatwootAccount, url: string, responseMaxBytes: number) {
  const get = (headers: Record<string, string>) => egress.request({ method: 'GET', url, headers, timeoutMs: 60_000, responseMaxBytes });
  const reply = await get({});
  const wantsToken = reply.status === 401 || reply.status === 403;
  return wantsToken && isOwn(url, apiUrl) ? get({ api_access_token: token }) : reply;
}

/**
 * Whether it is a file of the account's own server. Nothing else of that server: an address elsewhere may lead back to it, and an administrator's token
 * opens more there than files, in an account that tenants share everybody's.
 */
function isOwn(url: string, apiUrl: string): boolean {
  const [{ origin, pathname }, own] = [new URL(url), new URL(withoutSlash(apiUrl))];
  return origin === own.origin && pathname.startsWith(`${own.pathname.replace(/\/$/, '')}/rails/`) && !/(\.|%2e){2}/i.test(pathname);
}

function absolute(location: string, base: string): string {
  try {
    return new URL(location, base).href;
  } catch {
    throw hubError('media.unavailable', { publicMessage: 'The address of the attachment leads to something that is no address.', retry: 'never', detail: {} });
  }
}
