import type { Month } from '@switchboard/contracts';
import type { Database } from '@switchboard/db';
import type { EventBus } from '@switchboard/event-bus';
import type { TenantRoutings } from '../routing/tenant-routing.ts';

/** What consumers and routes work with. */
export type Parts = {
  readonly db: Database<unknown>;
  readonly bus: Pick<EventBus, 'publish'>;
  readonly routings: TenantRoutings;
  readonly now: () => Date;
  readonly monthAt: (at: Date, timeZone: string) => Month;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
};
