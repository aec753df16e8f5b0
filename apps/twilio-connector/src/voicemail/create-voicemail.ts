import { createMediaStore, deriveEventId, type ConnectorDefinition, type ConnectorParts, type ConnectorTools, type InboundEvent } from '@switchboard/connector-kit';
import type { ConnectionWithSecrets } from '@switchboard/contracts';
import type { Kit } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';
import type { Config } from '../config.ts';
import { createCalls } from '../store/calls.ts';
import type { PrismaClient } from '../store/generated/client.ts';
import { callStep } from '../voicemail-step.ts';
import { addStep, newCall, type Call } from './call.ts';
import { decideVoicemail } from './decide-voicemail.ts';
import { onVoicemailCheck } from './on-voicemail-check.ts';
import { causeOf, tell } from './tell.ts';
import { voicemailSettings } from './voicemail-settings.ts';

/** As long as deliveries are kept. */
const callLifeDays = 60;
/** Rows of one transaction: some hundredths of a second. */
const callBatchMax = 2_000;

/** Puts voicemail together from the steps of a call, which come in any order, repeated, or never. */
export function createVoicemail(kit: Kit<Config, PrismaClient>, tools: ConnectorTools, client: Pick<ConnectorDefinition['client'], 'fetchMedia'>): Omit<ConnectorParts, 'definition'> {
  const { name: group, db, bus, now, config } = kit;
  const waitMs = config.twilioTranscriptWaitSeconds * 1_000;
  const calls = createCalls(db);

  /** Tells what is to be told of the call now, in the open transaction, which holds the call's lock. */
  async function advance(call: Call): Promise<void> {
    const at = now();
    const { sayings, checks, call: told } = decideVoicemail(call, at.getTime(), waitMs);
    await tell({ bus, publishInbound: tools.publishInbound }, sayings, told, at);
    const { connectionId, callSid: callId } = call;
    for (const check of checks) {
      const payload = { connectionId, callId, dueAt: new Date(check.at).toISOString() };
      // One line for each thing waited for, in which whoever is due first stands first: the bus remembers lines in which something waited.
      await bus.publish('voicemail.check', payload, { orderingKey: `${check.name}:${connectionId}`, eventId: deriveEventId(causeOf(call), `wait ${check.wait}`) });
    }
    await calls.store(told);
  }

  async function onInbound(events: readonly InboundEvent[], { connection }: { readonly connection: ConnectionWithSecrets }): Promise<readonly InboundEvent[]> {
    const { connectionId } = connection;
    for (const event of events) {
      const step = callStep(event);
      if (step === undefined) continue;
      const known = await calls.open({ connectionId, callSid: step.callSid }, () => newCall(connectionId, step, voicemailSettings(connection, '')));
      const country = known.caller?.country ?? step.facts['FromCountry'] ?? '';
      await advance(addStep(known, step, voicemailSettings(connection, country)));
    }
    // Steps are for whoever counts them too; the kit publishes none.
    return events;
  }

  return {
    hooks: { onInbound },
    consumers: [onVoicemailCheck({ group, db, now, waitMs, calls, advance, tools, client, mediaStore: createMediaStore(config) })],
    tasks: [
      {
        name: 'drop-old-calls',
        cron: '47 3 * * *',
        run: () =>
          runAsSystem('retention of calls', async () => {
            while ((await db.transaction(() => calls.deleteOlderThan(callLifeDays, callBatchMax))) === callBatchMax);
          }),
      },
    ],
  };
}
