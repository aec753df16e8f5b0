import type { RenderedPart } from '@switchboard/connector-kit';

/** A content of Twilio's that buttons and lists need: made once per distinct question, and named by what it says. */
export type ContentDefinition = { readonly friendly_name: string; readonly language: string; readonly types: Readonly<Record<string, unknown>> };

/** What `renderMessage` puts into a part's body, and the client makes a call of. Stored as JSON in between. */
export type PartBody =
  | { readonly kind: 'typing'; readonly messageId: string }
  | {
      readonly kind: 'message';
      readonly to: string;
      /** One of the two. */
      readonly from?: string;
      readonly messagingServiceSid?: string;
      readonly body?: string;
      /** `geo:<latitude>,<longitude>|<label>`: a location on WhatsApp. */
      readonly persistentAction?: string;
      /** How the file goes: as media, or as its address in the text where the channel does not carry it. */
      readonly file?: 'media' | 'link';
      readonly contentSid?: string;
      /** By its name at Twilio, which the client looks up. */
      readonly template?: { readonly name: string; readonly language: string };
      /** JSON text. */
      readonly contentVariables?: string;
      readonly content?: ContentDefinition;
      /** Our message id, with `.<part>` where there are several: comes back in the status callback's address. */
      readonly ref: string;
    };
export type MessageBody = Extract<PartBody, { kind: 'message' }>;

export function bodyOf({ body }: RenderedPart): PartBody {
  // The cast is safe: only renderMessage makes parts.
  return body as unknown as PartBody;
}
