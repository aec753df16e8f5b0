import { exportUsage, planLimits, providerIds } from '@switchboard/contracts';
import { defineRoute, renderCsv, reply, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';
import type { TenantUsage, UsageStore } from '../store/usage.ts';

/** Tenants that are read at once. */
const pageSize = 1_000;

const columns = ['tenant_id', 'name', 'status', 'plan', 'month', 'messages_limit', 'messages', ...providerIds.flatMap((provider) => [`${provider}_inbound`, `${provider}_outbound`]), 'api_calls', 'active_contacts', 'media_bytes'];

export function exportUsageRoute({ usage }: Dependencies): Route {
  return defineRoute(exportUsage, async ({ query: { month } }) =>
    reply(await renderAll(usage, month), { headers: { 'content-disposition': `attachment; filename="usage-${month}.csv"` } }),
  );
}

/** A line of some 150 bytes for each tenant: a text of a few MB for the largest installations. */
async function renderAll(usage: UsageStore, month: string): Promise<string> {
  let text = renderCsv([columns]);
  let afterId: string | undefined;
  for (;;) {
    const page = await usage.listOfTenants(month, pageSize, afterId);
    text += renderCsv(page.map((tenant) => toRow(tenant, month)));
    afterId = page.at(-1)?.tenantId;
    if (page.length < pageSize) return text;
  }
}

function toRow({ tenantId, name, status, plan, byChannel, apiCalls, activeContacts, mediaBytes }: TenantUsage, month: string): (string | number | null)[] {
  const total = byChannel.reduce((sum, { inbound, outbound }) => sum + inbound + outbound, 0);
  const channels = providerIds.flatMap((provider) => {
    const of = byChannel.find(({ channel }) => channel === provider);
    return [of?.inbound ?? 0, of?.outbound ?? 0];
  });
  return [tenantId, name, status, plan, month, planLimits[plan].messagesPerMonth, total, ...channels, apiCalls, activeContacts, mediaBytes];
}
