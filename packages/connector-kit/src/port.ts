import type { ConnectionWithSecrets, ContactRef, DeliveryError, DeliveryStatus, MessageContent, MessageId, MessageReceived, MessageSend, ProviderId, Role } from '@switchboard/contracts';
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
      /** Flat facts about how it came: the advertisement it answers, forwarded, a product it names. */
      readonly attributes?: Readonly<Record<string, string>>;
      /** RFC 3339 in UTC. */
      readonly sentAt: string;
    }
  | {
      readonly kind: 'status';
      readonly providerMessageId?: string;
      /** Ours, where the provider echoes it. Elsewhere the kit finds it by `providerMessageId` among the deliveries. */
      readonly messageId?: MessageId;
      /** Which part of our message, where the provider echoes it: 0 for the first. */
      readonly part?: number;
      /** Of the contact, where the provider says it: keeps the order of a contact's statuses. */
      readonly contactAddress?: string;
      readonly providerConversationId?: string;
      readonly status: DeliveryStatus;
      readonly error?: DeliveryError;
      /** RFC 3339 in UTC. */
      readonly at: string;
    }
  /** Nothing for the conversation (an echo of ours, an account notice): kept by ingest, counted, not published. */
  | { readonly kind: 'ignored'; readonly reason: string };

export type RemoteMedia = { readonly id?: string; readonly url?: string; readonly sha256?: string };

/** One call to the provider that delivers (a part of) a message. Plain JSON: it is stored with the claim and repeated byte for byte. */
export type RenderedPart = { readonly body: Readonly<Record<string, unknown>>; readonly path?: string; readonly media?: PartMedia };

/** The file of a part: one of the media store, or at an address that a tenant gave. */
export type PartMedia = { readonly mediaKey?: string; readonly url?: string; readonly mimeType: string; readonly fileName?: string };

/** What a connector sees of a connection where it must not need secrets. */
export type PublicConnection = Pick<ConnectionWithSecrets, 'routingIdentifiers' | 'settings'>;

export type Rendered =
  /** No parts: the message has nothing that the provider could show (white space alone). The delivery fails with that reason. */
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
  /**
   * The file's bytes: from the media store, or from the tenant's address through the egress guard; they count as in memory until the call ends.
   * Throws `media.not_found`, `media.unavailable`, `media.too_large`, `egress.failed`, none of them after sending (`detail.sent` is false).
   */
  readonly loadMedia: (media: Pick<PartMedia, 'mediaKey' | 'url'>) => Promise<Buffer>;
  /** A URL the provider can fetch without our credentials, valid for a day. A tenant's own address is returned as it is. */
  readonly mediaUrl: (media: PartMedia) => string;
  /** Bytes of a file that there is room for: a client fetches no more, and throws `media.too_large` instead; it is called again when there is room for more. */
  readonly fileBytesMax: number;
  readonly now: () => Date;
};

export type FetchedMedia = { readonly bytes: Buffer; readonly mimeType?: string };

/** Calls a minute, and how many may come at once after a pause. */
export type PaceLimit = { readonly perMinute: number; readonly burst: number };

/**
 * Why a client's call failed, in `HubError.detail`:
 * - `sent`: the provider may have the message all the same (no answer came). Without a key for repetition it is not sent again.
 * - `scope`: what a `provider.throttled` holds back: `connection` (default) or `pair`, this contact alone. `account`, with
 *   `provider.unauthorized`, `provider.forbidden`, `provider.not_found`: the account is refused, not this message or its recipient. Messages
 *   wait until somebody has mended it, instead of failing one by one.
 * - `providerCode`: the provider's own error code, shown with the delivery.
 */
export type ClientErrorDetail = { readonly sent?: boolean; readonly scope?: 'connection' | 'pair' | 'account'; readonly providerCode?: string; readonly [more: string]: unknown };

/**
 * A connector: two pure functions and one client.
 * The client throws HubErrors that say their fate by `retry`, with a `ClientErrorDetail`.
 */
export type ConnectorDefinition = {
  readonly provider: ProviderId;
  readonly roles: readonly Role[];
  /**
   * Sending the same part twice has no second effect at the provider (it takes our message id as a key). When false, an attempt with an
   * unknown outcome is marked `delivery.outcome_unknown` and not repeated.
   */
  readonly sendIsIdempotent: boolean;
  /** For one connection. Its setting `callsPerMinute` takes the place of the rate, where the provider grants accounts different ones. */
  readonly pace: PaceLimit;
  /** For one contact of a connection; kept only after the provider throttled that contact, because providers lend from the future generously. */
  readonly pairPace?: PaceLimit;
  /** Pure; never throws on any JSON. */
  readonly parseWebhook: (webhook: ConnectorWebhook, connection: PublicConnection) => InboundEvent[];
  /** Pure. */
  readonly renderMessage: (command: MessageSend, connection: PublicConnection) => Rendered;
  readonly client: {
    readonly send: (part: RenderedPart, context: ClientContext) => Promise<Delivered>;
    readonly fetchMedia: (media: RemoteMedia, context: ClientContext) => Promise<FetchedMedia>;
  };
};
