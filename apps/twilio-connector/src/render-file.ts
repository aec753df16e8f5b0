import { describeInWords, type PartMedia } from '@switchboard/connector-kit';
import type { MediaContent } from '@switchboard/contracts';
import { contentLimits, mmsFileBytesMax, textLengthMax, whatsappFileBytesMax } from './limits.ts';
import type { Piece, PieceSetting } from './piece.ts';
import { textPieces } from './text-pieces.ts';

/** Room that the hub's own link to a file takes in a text, and the most that a tenant's address may. */
const linkLengthMax = 1000;
/** Of a file's name in a link: the link must fit. */
const nameLengthMax = 60;

/** A file as media where the channel carries it, else as a link in the text. A caption that does not fit beside it is a message of its own. Pure. */
export function renderFile(content: MediaContent, { channel, isMmsPossible }: PieceSetting): Piece[] | { readonly reason: string } {
  const { mediaKey, url, fileName, mimeType } = content.media;
  if (mediaKey === undefined && url === undefined) return textPieces(describeInWords(content));
  const media: PartMedia = { ...(mediaKey === undefined ? {} : { mediaKey }), ...(url === undefined ? {} : { url }), mimeType, ...(fileName === undefined ? {} : { fileName: fileName.slice(-nameLengthMax) }) };
  const caption = content.media.caption?.trim() ?? '';
  const type = (mimeType.split(';')[0] ?? '').trim().toLowerCase();
  const bytesMax = channel === 'whatsapp' ? whatsappFileBytesMax(type) : isMmsPossible ? mmsFileBytesMax(type) : undefined;
  if (bytesMax === undefined || (content.media.size ?? 0) > bytesMax) return linkPieces(caption, media);
  // Twilio: no caption for documents on WhatsApp (twilio.com/docs/whatsapp/guidance-whatsapp-media-messages); WhatsApp shows none below audio and stickers.
  const captionLengthMax = channel === 'sms' ? textLengthMax : /^(image\/(jpe?g|png)|video\/.+)$/.test(type) ? contentLimits.textLengthMax : 0;
  const isInside = caption !== '' && caption.length <= captionLengthMax;
  return [{ ...(isInside ? { body: caption } : {}), file: 'media', media }, ...(isInside ? [] : textPieces(caption))];
}

function linkPieces(caption: string, media: PartMedia): Piece[] | { readonly reason: string } {
  if (media.mediaKey === undefined && (media.url?.length ?? 0) > linkLengthMax) return { reason: 'The channel does not carry this file, and its address is too long for a text message.' };
  const name = media.fileName?.trim() ?? '';
  // The line of the link has the file's name where no caption says what it is.
  if (caption === '') return [{ ...(name === '' ? {} : { body: name }), file: 'link', media }];
  if (caption.length <= textLengthMax - linkLengthMax - 1) return [{ body: caption, file: 'link', media }];
  return [...textPieces(caption), { file: 'link', media }];
}
