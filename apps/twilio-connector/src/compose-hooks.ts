import type { ConnectorHooks } from '@switchboard/connector-kit';

/** Hooks one after the other: each gets what the ones before it have left of the events, or of the command. Who answers a command ends it. */
export function composeHooks(all: readonly ConnectorHooks[]): ConnectorHooks {
  return {
    async beforeSend(event, connection) {
      let { payload: command } = event;
      for (const { beforeSend } of all) {
        const plan = await beforeSend?.({ ...event, payload: command }, connection);
        if (plan?.kind === 'answered') return plan;
        if (plan !== undefined) command = plan.command;
      }
      return { kind: 'send', command };
    },
    async onSettled(event, outcome, error) {
      for (const { onSettled } of all) await onSettled?.(event, outcome, error);
    },
    async onInbound(events, source) {
      let left = events;
      for (const { onInbound } of all) left = (await onInbound?.(left, source)) ?? left;
      return left;
    },
  };
}
