import type { ConnectionWithSecrets, ContactRef, ConversationId, DeliveryError, DeliveryStatus, Envelope, EventId, Media, MessageContent, MessageId, MessageReceived, MessageSend, ProviderId, Role } from '@switchboard/contracts';
import type { Egress, ServiceParts } from '@switchboard/service-kit';
import type { RunClient } from './connections/create-client-runner.ts';
import type { Connections } from './connections/create-connections.ts';

/** One webhook of one connection, as ingest stored it. */
export type ConnectorWebhook = { readonly body: string; readonly receivedAt: string };

/** What a webhook says, in the hub's words. Ids of the connection are added by the kit. */
export type InboundEvent =
  | {
      readonly kind: 'message';
      readonly providerMessageId: string;
      readonly providerConversationId?: string;
      /** Ours, where a bot or desk echoes it. */
      readonly conversationId?: ConversationId;
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
  /**
   * A step of something that the connector puts together itself (a call, its recording, its transcript): its `onInbound` takes it, and nothing of it is
   * published as it is. The kit fetches the file before, as it does for messages.
   */
  | {
      readonly kind: 'step';
      readonly name: string;
      /** Flat facts, for the hook of the same connector. */
      readonly facts: Readonly<Record<string, string>>;
      readonly media?: Media;
      readonly remoteMedia?: RemoteMedia;
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
export type PublicConnection = Pick<ConnectionWithSecrets, 'role' | 'routingIdentifiers' | 'settings'>;

export type Rendered =
  /** No parts: the message has nothing that the provider could show (white space alone). The delivery fails with that reason. */
  | { readonly kind: 'parts'; readonly parts: readonly RenderedPart[] }
  /** The provider has no form for this; the delivery fails with the reason. */
  | { readonly kind: 'impossible'; readonly error: DeliveryError }
  /** Nothing to send (a typing signal to a provider without one). */
  | { readonly kind: 'nothing' };

export type Delivered = {
  readonly providerMessageId?: string;
  readonly providerConversationId?: string;
  readonly status?: 'sent' | 'delivered';
  /** What the other side said at once in its answer (a synchronous bot): published with the delivery's outcome, by way of `onInbound`. */
  readonly inbound?: readonly InboundEvent[];
};

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
   * unknown outcome is marked `delivery.outcome_unknown` and not repeated. A function where accounts of the provider differ in that.
   */
  readonly sendIsIdempotent: boolean | ((connection: PublicConnection) => boolean);
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

/** A message on its way to the provider. */
export type SendEvent = Envelope & { readonly payload: MessageSend };

/** What becomes of a message before it is rendered: delivered (perhaps with more in it), or answered by the connector itself, which counts as sent. */
export type SendPlan = { readonly kind: 'send'; readonly command: MessageSend } | { readonly kind: 'answered' };

/** What a connector with a store of its own adds to receiving and sending. Transactions are of the connector's own database, in the tenant's scope. */
export type ConnectorHooks = {
  /**
   * Before a message (no typing, no receipt) is delivered: outside any transaction, and again for every try. Throws HubErrors that say their fate, like a
   * client. The same command must come out for every try of a message that may have been sent in part: what was planned first is what is sent.
   */
  readonly beforeSend?: (event: SendEvent, connection: ConnectionWithSecrets) => Promise<SendPlan>;
  /** Inside the transaction that settles a delivery, once for each event; also when it is given up. */
  readonly onSettled?: (event: SendEvent, outcome: 'sent' | 'failed', error?: DeliveryError) => Promise<void>;
  /**
   * Inside the transaction that publishes what a webhook said, or a delivery was answered at once, before it: gives back what is to be published. It
   * may run again for the same webhook: what it publishes itself has ids made from `cause`.
   */
  readonly onInbound?: (events: readonly InboundEvent[], source: { readonly cause: EventId; readonly connection: ConnectionWithSecrets }) => Promise<readonly InboundEvent[]>;
};

/** What the kit gives to a connector that is more than its definition. */
export type ConnectorTools = {
  /** Connections with their secrets, in memory for a minute at most. */
  readonly connections: Connections;
  /** Runs a call to the provider with a connection's credentials; see `RunClient`. */
  readonly runClient: RunClient;
  /** Publishes, in the open transaction, what was said outside any webhook (a bot's welcome, a fallback). Ids are made from `cause` and `name`. */
  readonly publishInbound: (events: readonly InboundEvent[], source: { readonly cause: EventId; readonly name: string; readonly connection: Pick<ConnectionWithSecrets, 'connectionId' | 'provider' | 'role'> }) => Promise<void>;
};

/** A connector with a store, routes, consumers or a clock of its own. */
export type ConnectorParts = Partial<Omit<ServiceParts, 'erase' | 'rawRoutes'>> & {
  readonly definition: ConnectorDefinition;
  readonly hooks?: ConnectorHooks;
};
