import { createMapping, getConversation, getMapping, getStats, getTenant, listConversations, listMessages, sendMessage } from '@switchboard/contracts';

/** Every route that a tenant has at the gateway, by the name of its contract; a test compares it with the gateway's own table. */
export const operations = { createMapping, getConversation, getMapping, getStats, getTenant, listConversations, listMessages, sendMessage } as const;
export type Operations = typeof operations;
