import type { ConversationId, TenantId } from '@switchboard/contracts';
import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import { decide } from '../domain/decide.ts';
import { announceChange } from '../flow/announce-change.ts';
import type { Parts } from '../flow/parts.ts';
import { routeOf } from '../routing/route-of.ts';
import { findConversation } from '../store/find-conversation.ts';
import { updateConversation } from '../store/update-conversation.ts';

const hourMs = 3_600_000;
/** Conversations that one tick closes; the rest wait for the next. */
const closedAtOnceMax = 5_000;

/** Closes what nobody has written in for so many hours. The contact's next message opens it again. */
export async function closeIdleConversations(parts: Parts, idleHours: number): Promise<void> {
  const { db, now, log } = parts;
  const before = new Date(now().getTime() - idleHours * hourMs);
  const idle = await runAsSystem('find idle conversations of all tenants', () =>
    db.transaction(() =>
      db.sql.query<{ tenant_id: TenantId; conversation_id: ConversationId }>(`select tenant_id, conversation_id from conversations where status = 'open' and last_activity_at < $1 limit $2`, [before, closedAtOnceMax]),
    ),
  );
  const unable = new Set<TenantId>();
  for (const { tenant_id: tenantId, conversation_id: conversationId } of idle) {
    if (unable.has(tenantId)) continue;
    await runAsTenant(tenantId, () => closeConversation(parts, conversationId, before)).catch((error: unknown) => {
      // One tenant whose routes cannot be had must not keep the others' conversations open; the next tick tries it again.
      unable.add(tenantId);
      log.warn({ err: error, tenantId }, 'idle conversations of a tenant could not be closed');
    });
  }
}

async function closeConversation(parts: Parts, conversationId: ConversationId, before: Date): Promise<void> {
  const { db, now, routings } = parts;
  const routing = await routings.current();
  await db.transaction(async () => {
    const conversation = await findConversation(db.sql, conversationId, 'change');
    // Somebody wrote in the meantime.
    if (conversation === undefined || conversation.status === 'closed' || conversation.standing.lastActivityAt >= before.getTime()) return;
    const decision = decide(conversation.standing, routeOf(routing, conversation.channel, conversation.contact.address), { kind: 'closed', at: now().getTime() });
    await updateConversation(db.sql, conversationId, decision);
    await announceChange(parts, conversation, decision, { opened: false, reason: 'nobody wrote' });
  });
}
