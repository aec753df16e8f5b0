import { readdirSync, readFileSync } from 'node:fs';
import type { ClientErrorDetail, ConnectorWebhook, InboundEvent, PublicConnection } from '../port.ts';

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
  readonly connection: PublicConnection & { readonly credentials: Readonly<Record<string, string>> };
  readonly webhooks: readonly WebhookFixture[];
  /** Every row of the provider's error table. */
  readonly refusals: readonly RefusalFixture[];
  /** What the provider answers when it took a message. */
  readonly accepted: { readonly status: number; readonly body: unknown; readonly providerMessageId: string | undefined };
  /** An address of a contact as this provider has them. */
  readonly contactAddress: string;
  /** What of the provider's limits a rendered part breaks; undefined when it fits. */
  readonly findBrokenLimit: (body: Readonly<Record<string, unknown>>) => string | undefined;
};
