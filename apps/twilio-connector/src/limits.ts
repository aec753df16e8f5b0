/** Characters of one message, SMS or WhatsApp: twilio_api_v2010, CreateMessage `Body`. */
export const textLengthMax = 1600;

/** WhatsApp's limits for content of Twilio's types: twilio.com/docs/content/twilio-quick-reply and /twiliolist-picker (2026). */
export const contentLimits = {
  textLengthMax: 1024,
  /** In an open conversation, without WhatsApp's approval. */
  buttonsMax: 3,
  buttonTitleLengthMax: 20,
  rowsMax: 10,
  rowTitleLengthMax: 24,
  rowDescriptionLengthMax: 72,
  idLengthMax: 200,
  listButtonLengthMax: 20,
} as const;

const mebibyte = 1024 * 1024;

/** What a channel takes of a type: up to how many bytes. Undefined: not at all. */
type Sendable = (mimeType: string) => number | undefined;

/** twilio.com/docs/whatsapp/guidance-whatsapp-media-messages (2026). */
export const whatsappFileBytesMax: Sendable = (mimeType) => {
  if (/^image\/(jpe?g|png)$/.test(mimeType)) return 5 * mebibyte;
  // A sticker; larger ones are no stickers to WhatsApp.
  if (mimeType === 'image/webp') return 500 * 1024;
  return whatsappTypes.has(mimeType) ? 16 * mebibyte : undefined;
};

const whatsappTypes: ReadonlySet<string> = new Set([
  'audio/ogg', 'audio/amr', 'audio/3gpp', 'audio/aac', 'audio/mpeg', 'audio/mp4', 'video/mp4', 'video/3gpp', 'application/pdf', 'text/vcard', 'text/x-vcard',
  'application/msword', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
]);

/** MMS: 5 MB of what Twilio fits to phones itself, 500 KB of what networks take as it is (contract, section 6.2; twilio.com/docs/messaging/guides/accepted-mime-types). */
export const mmsFileBytesMax: Sendable = (mimeType) => {
  if (/^image\/(jpe?g|png|gif)$/.test(mimeType)) return 5 * mebibyte;
  return mmsTypes.has(mimeType) ? 500 * 1024 : undefined;
};

const mmsTypes: ReadonlySet<string> = new Set([
  'audio/mpeg', 'audio/mp4', 'audio/ogg', 'audio/amr', 'audio/3gpp', 'video/mp4', 'video/3gpp', 'video/quicktime', 'image/bmp', 'image/tiff', 'text/vcard', 'text/x-vcard', 'text/calendar', 'application/pdf',
]);
