import { getMapping, hubError } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { contactKeys } from '../domain/contact-keys.ts';
import type { Parts } from '../flow/parts.ts';
import { findMappedConversation } from '../store/find-conversation.ts';
import { readMappingTime, toMappingView } from '../store/read-conversations.ts';

export function getMappingRoute({ db }: Parts): Route {
  return defineRoute(getMapping, async ({ params: { waId } }) =>
    db.transaction(async () => {
      const keys = contactKeys('whatsapp', { address: waId, aliases: {} }).map(({ key }) => key);
      const conversation = await findMappedConversation(db.sql, 'whatsapp', keys);
      const mappedAt = conversation && (await readMappingTime(db.sql, conversation.conversationId));
      if (conversation === undefined || mappedAt === undefined) throw hubError('mapping.not_found');
      return toMappingView(conversation, mappedAt);
    }),
  );
}
