import { readdirSync, readFileSync } from 'node:fs';
import type { MessageContent, MessageKind, MessageSend } from '@switchboard/contracts';
import type { ClientErrorDetail, ConnectorDefinition, ConnectorWebhook, InboundEvent, PublicConnection, RemoteMedia, RenderedPart } from '../port.ts';

/** One webhook as a provider sends it, with where it was seen, and what it says in the hub's words. */
export type WebhookFixture = {
  readonly name: string;
  /** Who recorded it: a contract's source key, a repository and path. */
  readonly source: string;
  /** Where the provider describes it. */
  readonly docs: string;
  readonly body: unknown;
  readonly expected: readonly InboundEvent[];
};

/** An answer of the provider and what must become of the message. */
export type RefusalFixture = {
  readonly name: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly code: string;
  readonly retry: 'never' | 'later' | { readonly afterMs: number };
  /** Whom it refuses or holds back: `account` when messages must wait until somebody has mended the connection. */
  readonly scope?: ClientErrorDetail['scope'];
};

/** A message of the hub and what the provider gets of it, written by hand from the provider's documentation. */
export type RenderingFixture = {
  readonly name: string;
  readonly content: MessageContent;
  /** What the command says besides; its id is `renderedMessageId`. */
  readonly command?: Partial<MessageSend>;
  /** The parts as JSON, nothing to send, or the code of the reason why there is no form. */
  readonly expected: readonly RenderedPart[] | 'nothing' | { readonly impossible: string };
};

/** The id of the messages in `RenderingFixture`s. */
export const renderedMessageId = 'msg_0123456789abcdef';

export type ExpectedRequest = { readonly method: string; readonly url: string; readonly authorization: string | undefined; readonly body: unknown };

/** A message of one part and the requests that bring it to the provider, with the account's address and credentials. */
export type CallFixture = {
  readonly name: string;
  readonly content: MessageContent;
  /** What the provider answers, in order; `accepted` to all further requests. */
  readonly answers?: readonly { readonly status: number; readonly body: unknown }[];
  readonly expected: readonly ExpectedRequest[];
};

/** Where files of received messages lie, and who may see the account's token when they are fetched. */
export type FileFixtures = {
  /** How a webhook names the file at `url`, and what the API answers when it is asked for its address. */
  readonly named: (url: string) => { readonly media: RemoteMedia; readonly answer?: { readonly status: number; readonly body: unknown } };
  /** At the provider: fetched with the token, where it is asked for. None where files are public. */
  readonly ownUrls: readonly string[];
  /** Elsewhere, look-alikes above all: they never see the token. */
  readonly foreignUrls: readonly string[];
};

/** When the webhooks of fixtures were received. */
export const receivedAt = '2026-11-21T12:00:00.000Z';

/** Reads every `*.json` of a folder; the file's name is the fixture's. */
export function loadWebhookFixtures(folder: URL): WebhookFixture[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .toSorted()
    .map((file) => ({
      name: file.slice(0, -'.json'.length),
      // The cast is safe enough for a test: a fixture of another form fails its own test.
      ...(JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Omit<WebhookFixture, 'name'>),
    }));
}

export function webhookOf(body: unknown): ConnectorWebhook {
  return { body: typeof body === 'string' ? body : JSON.stringify(body), receivedAt };
}

export type ConformanceFixtures = {
  /** Its role is the connector's first where none is given. */
  readonly connection: Omit<PublicConnection, 'role'> & Partial<Pick<PublicConnection, 'role'>> & { readonly credentials: Readonly<Record<string, string>> };
  readonly webhooks: readonly WebhookFixture[];
  /** Every row of the provider's error table. */
  readonly refusals: readonly RefusalFixture[];
  /** What the provider answers when it took a message. */
  readonly accepted: { readonly status: number; readonly body: unknown; readonly providerMessageId: string | undefined };
  /** An address of a contact as this provider has them. */
  readonly contactAddress: string;
  /** Every kind of the vocabulary has one at least. */
  readonly renderings: readonly RenderingFixture[];
  /** Kinds of which some say nothing to this provider; all others always give parts, or a reason. */
  readonly silentKinds: readonly MessageKind[];
  readonly calls: readonly CallFixture[];
  /** What every command of `renderings` and `calls` says, where what is rendered depends on it (ids that stand in addresses). */
  readonly command?: Partial<MessageSend>;
  /** The header that carries the account's credentials, in lower case; `authorization` when absent. */
  readonly authorizationHeader?: string;
  /** The tokens that a message is tried with while the provider answers 401. */
  readonly authorizationsTried: readonly string[];
  readonly files: FileFixtures;
  /** What of the provider's limits a rendered part breaks; undefined when it fits. */
  readonly findBrokenLimit: (body: Readonly<Record<string, unknown>>) => string | undefined;
};

/** The fixture's connection as parsing and rendering see it. */
export function publicConnectionOf({ roles }: Pick<ConnectorDefinition, 'roles'>, { connection }: Pick<ConformanceFixtures, 'connection'>): PublicConnection {
  const { role = roles[0] ?? 'channel', routingIdentifiers, settings } = connection;
  return { role, routingIdentifiers, settings };
}
