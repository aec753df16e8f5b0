/** Limits of the Cloud API, lengths in UTF-16 code units: github.com/facebook/openapi business-messaging-api_v23.0.yaml (contract, section 8). */
export const limits = {
  /** Not in the OpenAPI; what Meta's own tools take. */
  textLengthMax: 4096,
  captionLengthMax: 1024,
  interactiveTextLengthMax: 1024,
  buttonsMax: 3,
  buttonIdLengthMax: 256,
  buttonTitleLengthMax: 20,
  rowsMax: 10,
  rowIdLengthMax: 200,
  rowTitleLengthMax: 24,
  rowDescriptionLengthMax: 72,
  listButtonLengthMax: 20,
  cardsMax: 5,
} as const;

const mebibyte = 1024 * 1024;

export type WhatsAppMediaType = 'image' | 'audio' | 'video' | 'document' | 'sticker';

/** Which files WhatsApp shows as what, and up to how many bytes (contract, section 8.3). A document may be of any type. */
export const mediaForms: Readonly<Record<WhatsAppMediaType, { readonly mimeTypes?: readonly string[]; readonly bytesMax: number; readonly hasCaption: boolean }>> = {
  image: { mimeTypes: ['image/jpeg', 'image/png'], bytesMax: 5 * mebibyte, hasCaption: true },
  audio: { mimeTypes: ['audio/aac', 'audio/amr', 'audio/mpeg', 'audio/mp4', 'audio/ogg'], bytesMax: 16 * mebibyte, hasCaption: false },
  video: { mimeTypes: ['video/mp4', 'video/3gpp'], bytesMax: 16 * mebibyte, hasCaption: true },
  document: { bytesMax: 100 * mebibyte, hasCaption: true },
  sticker: { mimeTypes: ['image/webp'], bytesMax: 500 * 1024, hasCaption: false },
};
