import { hubError, type ChatbotRecord } from '@switchboard/contracts';
import type { Principal } from '@switchboard/service-kit';
import { currentTenant } from '@switchboard/tenant-context';
import { assertTenant } from './assert-tenant.ts';
import type { ChatbotDependencies } from './dependencies.ts';

/** The chatbot as it is in the database: what somebody reads who has just changed it. Throws `tenant.not_found`, `chatbot.not_found`. */
export async function loadChatbot({ chatbotStore, callRoute }: Pick<ChatbotDependencies, 'chatbotStore' | 'callRoute'>, principal: Principal): Promise<ChatbotRecord> {
  const found = await chatbotStore.find();
  if (found !== undefined) return { tenantId: currentTenant(), version: found.version, config: found.config, knowledgeBase: [...found.knowledgeBase], updatedAt: found.updatedAt.toISOString() };
  await assertTenant(callRoute, principal);
  throw hubError('chatbot.not_found');
}
