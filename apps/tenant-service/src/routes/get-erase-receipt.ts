import { getEraseReceipt, hubError, type EraseReceipt } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';
import type { Dependencies } from '../app.ts';
import type { Erasure } from '../store/erasures.ts';

export function getEraseReceiptRoute({ erasures }: Dependencies): Route {
  return defineRoute(getEraseReceipt, async ({ params }) => {
    const erasure = await runAsSystem('an erasure outlives its tenant', () => erasures.findLast(params.tenantId));
    if (erasure === undefined) throw hubError('tenant.not_found', { publicMessage: 'Nothing of a tenant with this id was erased.' });
    return receiptOf(erasure);
  });
}

function receiptOf({ tenantId, services, receipts, webhooks, audit, begunAt, completedAt }: Erasure): EraseReceipt {
  return {
    tenantId,
    begunAt: begunAt.toISOString(),
    completedAt: completedAt?.toISOString() ?? null,
    services: Object.entries(receipts).map(([service, receipt]) => ({ service, ...receipt })),
    missing: services.filter((service) => receipts[service] === undefined),
    webhooks: [...webhooks],
    audit,
  };
}
