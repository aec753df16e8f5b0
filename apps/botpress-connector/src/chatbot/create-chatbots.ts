import type { ChatbotConfig, KnowledgeEntry } from '@switchboard/contracts';

/** A tenant's chatbot as a turn needs it. */
export type Chatbot = { readonly version: number; readonly config: ChatbotConfig; readonly knowledgeBase: readonly KnowledgeEntry[] };

/** Chatbots of tenants, each that of the tenant whose work this is. */
export interface Chatbots {
  /** Undefined where the tenant has set none up. The same object as long as nothing changes. */
  current(): Promise<Chatbot | undefined>;
  /** Forgets what is kept of the tenant's. */
  drop(): Promise<void>;
}
