import type { ConnectorParts, ConnectorTools } from '@switchboard/connector-kit';
import type { Kit } from '@switchboard/service-kit';
import { composeHooks } from './compose-hooks.ts';
import type { Config } from './config.ts';
import { createTwilio } from './connector.ts';
import type { PrismaClient } from './store/generated/client.ts';
import { createOptOutHooks } from './opt-outs/create-opt-out-hooks.ts';
import { createOrigins } from './origins.ts';
import { createReconciler } from './reconcile/create-reconciler.ts';
import { getTwilioUsageRoute } from './routes/get-twilio-usage.ts';
import { listTwilioOptOutsRoute } from './routes/list-twilio-opt-outs.ts';
import { createOptOuts } from './store/opt-outs.ts';
import { createReconciliations } from './store/reconciliations.ts';
import { createUsageItems } from './store/usage-items.ts';
import { createUsageHooks } from './usage/create-usage-hooks.ts';
import { dropOldItems } from './usage/drop-old-items.ts';
import { createVoicemail } from './voicemail/create-voicemail.ts';

export function buildConnector(kit: Kit<Config, PrismaClient>, tools: ConnectorTools): ConnectorParts {
  const definition = createTwilio({ publicWebhookUrl: kit.config.publicWebhookUrl });
  const { db, now, config } = kit;
  const { connections, runClient } = tools;
  const [origins, optOuts, items] = [createOrigins(), createOptOuts(db), createUsageItems(db)];
  const parts: readonly Omit<ConnectorParts, 'definition'>[] = [
    // What is used is counted before anybody takes something out of the row.
    { hooks: createUsageHooks({ items, origins, now }), routes: [getTwilioUsageRoute({ ...kit, connections, runClient, items })], tasks: [{ name: 'drop-old-usage', cron: '41 3 * * *', run: () => dropOldItems(items) }] },
    { hooks: createOptOutHooks({ optOuts, origins, now }), routes: [listTwilioOptOutsRoute(optOuts)] },
    createVoicemail(kit, tools, definition.client),
    createReconciler({ ...kit, connections, runClient, items, reconciliations: createReconciliations(db), everyMs: config.twilioReconcileMinutes * 60_000, random: Math.random }),
  ];
  return {
    definition,
    hooks: composeHooks(parts.flatMap(({ hooks }) => hooks ?? [])),
    routes: parts.flatMap(({ routes }) => routes ?? []),
    consumers: parts.flatMap(({ consumers }) => consumers ?? []),
    tasks: parts.flatMap(({ tasks }) => tasks ?? []),
  };
}
