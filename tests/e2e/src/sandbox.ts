import type { HubProcess } from './hub-process.ts';
import { callJson } from './onboard.ts';

type Json = Record<string, unknown>;

/** A conversation as the sandbox's Chatwoot shows it to whoever looks. */
export type ChatwootConversation = {
  readonly conversationId: string;
  readonly inboxId: string;
  readonly sourceId: string;
  readonly status: string;
  readonly labels: readonly string[];
  readonly assignee: { readonly id: number; readonly name: string } | null;
  readonly contact: { readonly name: string; readonly phone_number: string | null; readonly identifier: string | null };
  readonly messages: readonly { readonly id: string; readonly type: string; readonly text: string | null; readonly private: boolean; readonly status: string; readonly attachments: readonly { readonly fileName: string; readonly base64?: string }[] }[];
};

export type ChatwootAccount = {
  readonly server: string;
  readonly accountId: string;
  readonly credentials: Json;
  readonly platform: Json;
  readonly administrator: { readonly token: string };
  readonly agents: readonly { readonly id: number; readonly name: string }[];
};

/** What people do at the providers, and what can be seen there: the sandbox's controls. */
export class Sandbox {
  private readonly hub: () => HubProcess;

  constructor(hub: () => HubProcess) {
    this.hub = hub;
  }

  async call<T = Json>(method: string, path: string, body?: unknown): Promise<T> {
    const { status, json, text } = await callJson<T>(method, `${this.hub().url('PROVIDER_SANDBOX')}/sandbox/${path}`, {}, body);
    if (status >= 300) throw new Error(`${method} /sandbox/${path} answered ${status} ${text}`);
    return json;
  }

  chatwootAccount(given: Json): Promise<ChatwootAccount> {
    return this.call('POST', 'chatwoot/accounts', given);
  }

  async conversations({ server, accountId }: ChatwootAccount, inboxId?: string): Promise<readonly ChatwootConversation[]> {
    const { data } = await this.call<{ data: ChatwootConversation[] }>('GET', `chatwoot/${server}/accounts/${accountId}/conversations${inboxId === undefined ? '' : `?inboxId=${inboxId}`}`);
    return data;
  }

  /** In a conversation of an account: `reply`, `status`, `assign`, `labels`, `typing`. */
  act({ server, accountId }: ChatwootAccount, conversationId: string, what: string, body: Json): Promise<{ readonly attempts: readonly number[] }> {
    return this.call('POST', `chatwoot/${server}/accounts/${accountId}/conversations/${conversationId}/${what}`, body);
  }

  /** A contact writes in an inbox. */
  visit({ server, accountId }: ChatwootAccount, inboxId: string, body: Json): Promise<{ readonly conversationId: string; readonly attempts: readonly number[] }> {
    return this.call('POST', `chatwoot/${server}/accounts/${accountId}/inboxes/${inboxId}/receive`, body);
  }
}
