import { createMapping, hubError, type ConnectionId, type ContactRef, type TenantRouting } from '@switchboard/contracts';
import { defineRoute, reply, type Route } from '@switchboard/service-kit';
import { stableAddress } from '../domain/contact-keys.ts';
import type { Decision } from '../domain/decide.ts';
import { handlerOf, statusOf, type ConnectionRef, type ConversationRoute } from '../domain/standing.ts';
import { announceChange } from '../flow/announce-change.ts';
import type { Parts } from '../flow/parts.ts';
import { routeOf } from '../routing/route-of.ts';
import type { ConversationRecord } from '../store/conversation-record.ts';
import { ensureCounterpart } from '../store/ensure-counterpart.ts';
import { openConversation } from '../store/open-conversation.ts';
import { readMappingTime, toMappingView } from '../store/read-conversations.ts';
import { updateConversation } from '../store/update-conversation.ts';

/** A contact known before a first message: an order, an import. A repetition makes nothing new. */
export function createMappingRoute(parts: Parts): Route {
  const { db, routings, now } = parts;
  return defineRoute(createMapping, async ({ body: { waId, contactName, connectionId } }) => {
    const routing = await routings.current(connectionId);
    const channel = chooseChannel(routing, connectionId);
    const route = routeOf(routing, channel, waId);
    const address = stableAddress(channel.provider, waId);
    const contact: ContactRef = { address, aliases: {}, ...(contactName === undefined ? {} : { name: contactName }) };
    return db.transaction(async () => {
      const { conversation, opened } = await openConversation(db.sql, channel, contact, now());
      const mapped = await mapToHandler(parts, conversation, route);
      const shown = opened ? await startConversation(parts, mapped, route) : mapped;
      const view = toMappingView(shown, (await readMappingTime(db.sql, conversation.conversationId)) ?? now());
      return reply(view, { status: opened ? 201 : 200 });
    });
  });
}

/** The oldest WhatsApp connection of the tenant, or the one that was named. */
function chooseChannel({ connections }: TenantRouting, connectionId: ConnectionId | undefined): ConnectionRef {
  const channels = connections.filter(({ provider, role, status }) => provider === 'whatsapp' && role === 'channel' && status !== 'disabled').toSorted((a, b) => a.createdAt.localeCompare(b.createdAt));
  const chosen = connectionId === undefined ? channels[0] : channels.find((channel) => channel.connectionId === connectionId);
  if (chosen === undefined) throw hubError(connectionId === undefined ? 'mapping.no_channel' : 'connection.not_found');
  return { connectionId: chosen.connectionId, provider: chosen.provider };
}

/** Maps to the side that will answer; to the channel itself while the route has nobody. */
async function mapToHandler({ db }: Parts, conversation: ConversationRecord, route: ConversationRoute): Promise<ConversationRecord> {
  const side = (route.startsWith === 'bot' ? (route.bot ?? route.desk) : (route.desk ?? route.bot)) ?? route.channel;
  const counterpart = await ensureCounterpart(db.sql, conversation, side.connectionId, stableAddress(conversation.channel.provider, conversation.contact.address));
  const isKnown = side === route.channel || conversation.counterparts.some(({ connectionId }) => connectionId === side.connectionId);
  return isKnown ? conversation : { ...conversation, counterparts: [...conversation.counterparts, counterpart] };
}

async function startConversation(parts: Parts, conversation: ConversationRecord, route: ConversationRoute): Promise<ConversationRecord> {
  const { standing } = conversation;
  const decision: Decision = { standing, status: statusOf(standing), handler: handlerOf(standing, route), commands: [] };
  await updateConversation(parts.db.sql, conversation.conversationId, decision);
  await announceChange(parts, conversation, decision, { opened: true, reason: 'mapped through the API' });
  return { ...conversation, status: decision.status, handler: decision.handler };
}
