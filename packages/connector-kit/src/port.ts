import type { ConnectionWithSecrets, ContactRef, DeliveryError, DeliveryStatus, MessageContent, MessageReceived, MessageSend, ProviderId, Retry, Role } from '@switchboard/contracts';
import type { Egress } from '@switchboard/service-kit';

/** One webhook of one connection, as ingest stored it. */
export type ConnectorWebhook = { readonly body: string; readonly receivedAt: string };

/** What a webhook says, in the hub's words. Ids of the connection are added by the kit. */
export type InboundEvent =
  | {
      readonly kind: 'message';
      readonly providerMessageId: string;
      readonly providerConversationId?: string;
      readonly contact: ContactRef;
      readonly author: MessageReceived['author'];
      /** Media content names a file at the provider in `remoteMedia`; the kit fetches it and fills `mediaKey`. */
      readonly content: MessageContent;
      readonly remoteMedia?: RemoteMedia;
      readonly replyToProviderMessageId?: string;
      /** RFC 3339. */
      readonly sentAt: string;
    }
  | {
      readonly kind: 'status';
      readonly providerMessageId?: string;
      /** Ours, where the provider echoes it. */
      readonly messageId?: string;
      readonly providerConversationId?: string;
      readonly status: DeliveryStatus;
      readonly error?: DeliveryError;
      readonly at: string;
    }
  /** Nothing for the conversation (an echo of ours, an account notice): kept by ingest, counted, not published. */
  | { readonly kind: 'ignored'; readonly reason: string };

export type RemoteMedia = { readonly id?: string; readonly url?: string; readonly sha256?: string };

/** One call to the provider that delivers (a part of) a message. Plain JSON: it is stored with the claim and repeated byte for byte. */
export type RenderedPart = { readonly body: Readonly<Record<string, unknown>>; readonly path?: string; readonly media?: { readonly mediaKey?: string; readonly url?: string; readonly mimeType: string; readonly fileName?: string } };

export type Rendered =
  | { readonly kind: 'parts'; readonly parts: readonly RenderedPart[] }
  /** The provider has no form for this; the delivery fails with the reason. */
  | { readonly kind: 'impossible'; readonly error: DeliveryError }
  /** Nothing to send (a typing signal to a provider without one). */
  | { readonly kind: 'nothing' };

export type Delivered = { readonly providerMessageId?: string; readonly providerConversationId?: string; readonly status?: 'sent' | 'delivered' };

/** What a client's call runs with. */
export type ClientContext = {
  readonly connection: ConnectionWithSecrets;
  readonly egress: Egress;
  /** The provider's access token from auth-service; `refused` drops the one just refused. Only for providers with tokens of their own. */
  readonly accessToken: (refused?: { fingerprint: string }) => Promise<{ accessToken: string; fingerprint: string }>;
  readonly loadMedia: (mediaKey: string) => Promise<{ bytes: Buffer; mimeType: string }>;
  /** A URL the provider can fetch without our credentials, valid for hours. */
  readonly mediaUrl: (mediaKey: string, mimeType: string, fileName?: string) => string;
};

export type FetchedMedia = { readonly bytes: Buffer; readonly mimeType?: string };

/**
 * A connector: two pure functions and one client.
 * The client throws HubErrors that say their fate by `retry`; an error after which the provider may have the message carries `detail.sent: true`.
 */
export type ConnectorDefinition = {
  readonly provider: ProviderId;
  readonly roles: readonly Role[];
  /**
   * Sending the same part twice has no second effect at the provider (it takes our message id as a key). When false, an attempt with an
   * unknown outcome is marked `delivery.outcome_unknown` and not repeated.
   */
  readonly sendIsIdempotent: boolean;
  /** Calls a minute for one connection, and the burst. */
  readonly pace: { readonly perMinute: number; readonly burst: number };
  /** Pure; never throws on any JSON. */
  readonly parseWebhook: (webhook: ConnectorWebhook, connection: Pick<ConnectionWithSecrets, 'routingIdentifiers' | 'settings'>) => InboundEvent[];
  /** Pure. */
  readonly renderMessage: (command: MessageSend, connection: Pick<ConnectionWithSecrets, 'routingIdentifiers' | 'settings'>) => Rendered;
  readonly client: {
    readonly send: (part: RenderedPart, context: ClientContext) => Promise<Delivered>;
    readonly fetchMedia: (media: RemoteMedia, context: ClientContext) => Promise<FetchedMedia>;
  };
};

/** For readers of a HubError's fate. */
export type Fate = Retry;
