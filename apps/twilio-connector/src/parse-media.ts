import type { RemoteMedia } from '@switchboard/connector-kit';
import type { MediaContent } from '@switchboard/contracts';
import type { Form } from './wire.ts';

/** MMS carries ten at most; the number in the form is anybody's. */
const filesMax = 10;

/** The files of a message (`MediaUrl0`, …), in their order. Those without an address are left out. Pure. */
export function parseMedia(form: Form): { readonly content: MediaContent; readonly remoteMedia: RemoteMedia }[] {
  const count = Math.min(filesMax, Math.max(0, Math.trunc(Number(form['NumMedia'])) || 0));
  return Array.from({ length: count }, (_, index) => index).flatMap((index) => {
    const url = form[`MediaUrl${index}`];
    if (!url) return [];
    return [{ content: contentOf(form[`MediaContentType${index}`] ?? ''), remoteMedia: { url } }];
  });
}

function contentOf(contentType: string): MediaContent {
  const mimeType = contentType.slice(0, 255);
  const type = (contentType.split(';')[0] ?? '').trim().toLowerCase();
  const family = type.split('/')[0];
  // WhatsApp's voice messages are Opus in Ogg; music that is sent as a file is not. An MMS's AMR is what phones record.
  if (family === 'audio') return { kind: 'audio', media: { mimeType }, ...(type === 'audio/ogg' || type === 'audio/amr' ? { voice: true } : {}) };
  if (type === 'image/webp') return { kind: 'sticker', media: { mimeType } };
  if (family === 'image') return { kind: 'image', media: { mimeType } };
  if (family === 'video') return { kind: 'video', media: { mimeType } };
  return { kind: 'file', media: { mimeType, ...(/^text\/(x-)?vcard$/.test(type) ? { fileName: 'contact.vcf' } : {}) } };
}
