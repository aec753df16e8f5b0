import type { InboundEvent } from '@switchboard/connector-kit';

/** For what comes by no webhook, whose files the kit would fetch: whoever sends them on does, from where they lie. */
export function withAddress(event: InboundEvent): InboundEvent {
  if (event.kind !== 'message' || event.remoteMedia === undefined || !('media' in event.content)) return event;
  const { remoteMedia, ...rest } = event;
  const { content } = event;
  return { ...rest, content: { ...content, media: { ...content.media, url: remoteMedia.url, mimeType: mimeTypes[content.kind] } } };
}

/** Nothing but the address says what a file is; the kind is what bots tell. */
const mimeTypes = { image: 'image/jpeg', sticker: 'image/webp', audio: 'audio/mpeg', video: 'video/mp4', file: 'application/octet-stream' } as const;
