import type { ProviderId, Role } from '@switchboard/contracts';
import type { z } from 'zod';

/** A webhook as it came in: raw bytes before any parser. Header names in lower case. */
export type RawWebhook = {
  readonly method: string;
  /** As the provider saw it: scheme, host, port, path, query. Twilio signs it. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** The secret at the end of the URL's path, decoded, where there is one. Never logged. */
  readonly pathToken?: string;
};

/** How a provider proves that a webhook is its own, as data. Interpreted by webhook-auth/. */
export type WebhookAuth =
  | SingleWebhookAuth
  /**
   * One of several, with the same secrets: who presents the secret or a MAC by it knows it, either way. Signed by the first one.
   */
  | { readonly scheme: 'any-of'; readonly schemes: readonly [SingleWebhookAuth, ...SingleWebhookAuth[]] };

export type SingleWebhookAuth =
  /** HMAC of the raw body: Meta (hex), Genesys (base64). Some senders leave the prefix out (`isPrefixOptional`). */
  | { readonly scheme: 'hmac'; readonly algorithm: 'sha256'; readonly header: string; readonly prefix: string; readonly isPrefixOptional?: boolean; readonly encoding: 'hex' | 'base64' }
  /** HMAC of `<timestamp>.<body>` with a bound on age: Chatwoot. */
  | {
      readonly scheme: 'timestamped-hmac';
      readonly algorithm: 'sha256';
      readonly signatureHeader: string;
      readonly timestampHeader: string;
      readonly prefix: string;
      readonly encoding: 'hex' | 'base64';
      readonly separator: string;
      /** Seconds; either way. */
      readonly toleranceSeconds: number;
    }
  /** The secret itself in a header: Botpress' `x-secret-key`. */
  | { readonly scheme: 'shared-token'; readonly header: string }
  /** The secret itself at the end of the URL, for providers that can be told nothing but a URL: Chatwoot before 4.12. */
  | { readonly scheme: 'path-token' }
  /** HMAC-SHA1 of the URL and the sorted form fields, or of the URL with `bodySHA256` for JSON: Twilio. */
  | { readonly scheme: 'twilio'; readonly header: string };

export type RoutingIdentifier = { readonly name: string; readonly value: string };

/** One thing of a webhook that belongs to one account: ingest stores and publishes each on its own. */
export type WebhookPart = {
  /** Which accounts it names, most specific first: the first that is connected owns the part. Values are printable ASCII, at most 256 characters. */
  readonly routingIdentifiers: readonly RoutingIdentifier[];
  /** Accounts around the named one (the WABA of a number): their secrets may verify a part that nobody owns, but they never own it. */
  readonly relatedIdentifiers: readonly RoutingIdentifier[];
  /** Writing and hashing cost more than naming: they are done for parts that somebody's secret verified, not for whatever strangers send. */
  readonly write: () => WrittenPart;
};

export type WrittenPart = {
  /** The provider's own id of this event, for deduplication within the connection; undefined where there is none (the content hash is used). */
  readonly providerEventId: string | undefined;
  /**
   * Without an id: how long the same content counts as the same event. A contact may say "ok" twice where nothing but the words is sent. Undefined: for
   * as long as the webhook log keeps it.
   */
  readonly sameWithinSeconds?: number;
  /** What keeps its order within the account: the contact, where one is named. */
  readonly orderingKey: string;
  /** JSON text of the part alone, in the provider's own envelope. */
  readonly body: string;
};

export type WebhookSplit =
  | { readonly kind: 'parts'; readonly parts: readonly WebhookPart[] }
  | { readonly kind: 'unreadable'; readonly reason: string }
  /** It contradicts itself about whose it is (its URL names another account than its body): answered 403, whoever has signed it. */
  | { readonly kind: 'contradictory'; readonly reason: string };

/** An answer with content, where the provider acts by it: the instructions for a call. */
export type WebhookAnswer = { readonly status: 200 | 204; readonly contentType?: string; readonly body?: string };

/** What an answer is made from. */
export type AnswerContext = {
  readonly connectionId: string;
  /** The connection's settings that the entry names in `answerSettings`. */
  readonly settings: Readonly<Record<string, string>>;
  /** Where providers reach ingest, without a slash at the end. */
  readonly publicUrl: string;
};

/** What is wrong with a field beside the others: its name, and the reason without its value. */
export type FormFault = { readonly path: string; readonly message: string };

/** Everything the rest of the hub must know of a provider, said once. A new provider is one entry and one connector. */
export type ProviderEntry = {
  readonly id: ProviderId;
  readonly title: string;
  readonly roles: readonly [Role, ...Role[]];
  /** Name of the credentials form in the API (`POST /tenants/:id/credentials {"type": …}`). */
  readonly credentialType: string;
  /** The form: what a tenant gives. `sandbox: true` points it at the provider-sandbox. */
  readonly credentials: z.ZodObject;
  /** What no field says alone: which ones go together. Asked with a form whose every field is right. Pure. */
  readonly faultsOf?: (form: Readonly<Record<string, unknown>>) => readonly FormFault[];
  /** The same for an account of the platform in which tenants' own are made, where it needs other fields; `faultsOf` when left out. */
  readonly faultsOfPlatform?: (form: Readonly<Record<string, unknown>>) => readonly FormFault[];
  /** Fields of the form that are secret: sealed, never returned. The others are routing identifiers or settings. */
  readonly secretFields: readonly string[];
  /**
   * Fields that name the account; an active connection owns them in the whole installation. The first one identifies the connection when it
   * is posted again. Those that the form does not have are made of what it says (server, account and inbox) when the account is connected.
   */
  readonly routingFields: readonly string[];
  /**
   * Fields that also name the account in webhooks, but that several connections may have (numbers of one WABA): stored with the routing
   * identifiers, never refused as taken.
   */
  readonly sharedRoutingFields: readonly string[];
  readonly webhook: {
    readonly auth: WebhookAuth;
    /** Field of the credentials whose value verifies webhooks. */
    readonly secretField: string;
    /** `shared`: one URL for many accounts exists besides the one per connection. */
    readonly paths: readonly ('shared' | 'connection')[];
    /** More addresses of the shared URL, from the root. */
    readonly aliases?: readonly string[];
    /** Meta's GET with `hub.challenge`. */
    readonly handshake?: { readonly kind: 'hub-challenge'; readonly tokenField: string };
    /**
     * Accounts and events are numbers that every server counts for itself, and no webhook says which server: many connections have the same numbers,
     * the secret tells them apart, and an event's id means something within a connection only.
     */
    readonly hasLocalIds?: boolean;
    /**
     * Every account has a secret of its own, which speaks for no other: an account that nobody has connected stays unknown (404), whoever's secret has
     * signed it. Elsewhere many accounts have one (a Meta app's).
     */
    readonly hasSecretPerAccount?: boolean;
    /** The URL of a connection may go on behind its id (`/webhooks/twilio/:connectionId/status`), for whoever reads URLs; it means nothing to routing. */
    readonly hasSubpaths?: boolean;
    /**
     * Routing identifier that the limit of a connection is counted by, where several connections of a tenant have one account (a subaccount with many
     * numbers). An account that nobody has connected is counted by it too, where a webhook names it.
     */
    readonly limitedBy?: string;
    /** Settings of a connection that ingest keeps for `answer`; never secrets. */
    readonly answerSettings?: readonly string[];
    /**
     * What a stored webhook, or a repetition of one, is answered with; without it 200 with nothing. Of a body in several parts the first one's. Without a
     * context it was kept aside as nobody's; without a part it could not even be read. Pure; never throws.
     */
    readonly answer?: (part: WrittenPart | undefined, context: AnswerContext | undefined) => WebhookAnswer;
    /** Bytes. */
    readonly bodyMaxBytes: number;
    /** Pure; never throws. It runs before the sender is known: it must cost little for any body up to the cap. */
    readonly split: (webhook: RawWebhook) => WebhookSplit;
  };
  readonly channel?: {
    /** Hours after the last message of the contact at this address in which free-form messages may be sent; undefined: no such rule. Pure. */
    readonly replyWindowHours?: (address: string) => number | undefined;
    /** Human agents answer in the channel itself: a route's desk may be its own channel connection. */
    readonly hasAgents?: boolean;
  };
  /** Hosts that credentials may be sent to, by what they are for; `apiBaseUrl` in the credentials overrides through the egress guard. */
  readonly hosts: (credentials: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;
  /** Path prefix of this provider at the provider-sandbox. */
  readonly sandboxPath: string;
};
