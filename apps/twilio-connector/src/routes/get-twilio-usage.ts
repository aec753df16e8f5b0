import type { Connections, RunClient } from '@switchboard/connector-kit';
import { getRoutesInternal, getTwilioUsage, hubError, isHubError, twilioUsageKinds, type ConnectionWithSecrets, type TwilioUsage } from '@switchboard/contracts';
import { defineRoute, type CallRoute, type Route } from '@switchboard/service-kit';
import { accountOf } from '../account-of.ts';
import { listUsage } from '../api/list-usage.ts';
import type { UsageItems, UsageSum } from '../store/usage-items.ts';
import { noTwilioUse, twilioUsageOf, type TwilioUseOfAll } from '../usage/twilio-usage-of.ts';
import { readDays, type Days } from '../usage/read-days.ts';

export type UsageRouteDeps = { readonly callRoute: CallRoute; readonly connections: Pick<Connections, 'load'>; readonly runClient: RunClient; readonly items: UsageItems; readonly now: () => Date };

type Subaccount = TwilioUsage['subaccounts'][number];

/** Milliseconds for all of Twilio's answers together: without them the hub's own counts are shown. */
const waitMaxMs = 12_000;

/** Asks Twilio for each of the tenant's subaccounts, each with its own credentials. Twilio away or refusing leaves its side out, and says why. */
export function getTwilioUsageRoute(deps: UsageRouteDeps): Route {
  return defineRoute(getTwilioUsage, async ({ query }) => {
    const days = readDays(query, deps.now());
    const sums = await deps.items.sums(new Date(`${days.from}T00:00:00Z`), new Date(Date.parse(`${days.to}T00:00:00Z`) + 86_400_000));
    const subaccounts = await Promise.all([...(await ownSubaccounts(deps))].map(([accountSid, connections]) => subaccountOf({ accountSid, connections, days, sums }, deps)));
    return { ...days, subaccounts };
  });
}

/** tenant-service names the connections of the caller's tenant and no others. */
async function ownSubaccounts({ callRoute, connections }: UsageRouteDeps): Promise<Map<string, ConnectionWithSecrets[]>> {
  const known = await callRoute('tenant-service', getRoutesInternal, {});
  const own = known.connections.filter(({ provider, status }) => provider === 'twilio' && status === 'active');
  const loaded = await Promise.all(own.map(({ connectionId }) => connections.load(connectionId)));
  return Map.groupBy(loaded, (connection) => accountOf(connection).accountSid);
}

type Asked = { readonly accountSid: string; readonly connections: readonly ConnectionWithSecrets[]; readonly days: Days; readonly sums: readonly UsageSum[] };

async function subaccountOf({ accountSid, connections, days, sums }: Asked, deps: UsageRouteDeps): Promise<Subaccount> {
  const asked = await askTwilio(connections, days, deps);
  const theirs = asked.kind === 'told' ? asked.use : twilioUsageOf([]);
  const lines = twilioUsageKinds.map((kind) => {
    const { count = 0, units = 0 } = sums.find((sum) => sum.accountSid === accountSid && sum.kind === kind) ?? {};
    const twilio = theirs.byKind[kind];
    return { kind, ours: { count, units }, twilio, difference: asked.kind === 'told' ? twilio.count - count : noTwilioUse.count };
  });
  return { accountSid, connectionIds: connections.map(({ connectionId }) => connectionId), currency: theirs.currency, totalPrice: theirs.totalPrice, lines, error: asked.kind === 'told' ? null : asked.error };
}

type Answer = { readonly kind: 'told'; readonly use: TwilioUseOfAll } | { readonly kind: 'failed'; readonly error: string };

async function askTwilio([connection]: readonly ConnectionWithSecrets[], days: Days, { runClient }: UsageRouteDeps): Promise<Answer> {
  if (connection === undefined) return { kind: 'failed', error: 'The subaccount has no active connection.' };
  const timer: { stop?: () => void } = {};
  const tooLate = new Promise<never>((_, reject) => {
    const timeout = setTimeout(() => reject(hubError('provider.unavailable', { publicMessage: 'Twilio took too long to answer.' })), waitMaxMs);
    timer.stop = () => clearTimeout(timeout);
  });
  try {
    return { kind: 'told', use: twilioUsageOf(await Promise.race([runClient(connection, (context) => listUsage(context, days)), tooLate])) };
  } catch (error) {
    // An expected outcome: the hub's own counts are an answer too.
    if (!isHubError(error)) throw error;
    return { kind: 'failed', error: error.publicMessage };
  } finally {
    timer.stop?.();
  }
}
