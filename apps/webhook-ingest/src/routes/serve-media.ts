import type { MediaLinks, MediaStore } from '@switchboard/connector-kit';
import { isHubError } from '@switchboard/contracts';
import type { RawRoute } from '@switchboard/service-kit';
import { runAsTenant } from '@switchboard/tenant-context';
import { answerEmpty } from './answer-empty.ts';

/** What a browser shows or plays by itself without running anything. SVG and HTML are not among them. */
const shownTypes = /^(?:image\/(?:jpeg|png|gif|webp|bmp|heic|avif)|audio\/[\w.+-]+|video\/[\w.+-]+)(?:;[\w\s=."-]*)?$/i;
/** What may stand in a content-type header. */
const headerSafe = /^[\w.+-]+\/[\w.+-]+(?:;[\w\s=."-]*)?$/;

/** `GET /media/<signed token>`: files of messages for providers, which cannot send credentials. The token says whose file, which, and until when. */
export function serveMedia(options: { readonly links: MediaLinks; readonly store: MediaStore }): RawRoute[] {
  const handle: RawRoute['handle'] = async (request, response, match) => {
    const link = options.links.read(match[1] ?? '');
    if (link === undefined) return answerEmpty(response, 404);
    const bytes = await runAsTenant(link.tenantId, () => options.store.load(link.mediaKey)).catch((error: unknown) => {
      if (isHubError(error) && error.code === 'media.not_found') return undefined;
      throw error;
    });
    if (bytes === undefined) return answerEmpty(response, 404);
    const isShown = shownTypes.test(link.mimeType);
    response.writeHead(200, {
      'content-type': headerSafe.test(link.mimeType) ? link.mimeType : 'application/octet-stream',
      'content-length': bytes.length,
      'content-disposition': `${isShown ? 'inline' : 'attachment'}${fileNameParameter(link.fileName)}`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      // The file of a key never changes; the link ends by itself.
      'cache-control': 'private, max-age=3600, immutable',
    });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  };
  return ['GET', 'HEAD'].map((method) => ({ method, name: '/media/:token', pattern: /^\/media\/([\w-]+\.[\w-]+)$/, handle }));
}

/** RFC 6266 with RFC 8187: any name, in ASCII. */
function fileNameParameter(fileName: string | undefined): string {
  if (fileName === undefined) return '';
  const encoded = encodeURIComponent(fileName.toWellFormed()).replaceAll(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  return `; filename*=UTF-8''${encoded}`;
}
