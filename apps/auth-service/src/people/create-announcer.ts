import type { MemberStatus } from '@switchboard/contracts';
import type { EventBus } from '@switchboard/event-bus';
import { currentActor } from '@switchboard/tenant-context';
import { currentRealm } from '../domain/realm.ts';
import type { Person } from '../store/people.ts';
import type { Deed, StaffAuditStore } from '../store/staff-audit.ts';

export interface Announcer {
  /** Has the gateways forget what they know of this member's tokens. Inside the transaction of the change. */
  changed(person: Pick<Person, 'memberId' | 'role'>, status: MemberStatus | 'deleted'): Promise<void>;
  /** Who did what: to the tenant's audit by event, or to the platform's own. Inside the transaction of the change. */
  audit(deed: Deed): Promise<void>;
}

type Deps = { readonly bus: EventBus; readonly staffAudit: StaffAuditStore; readonly now: () => Date };

export function createAnnouncer({ bus, staffAudit, now }: Deps): Announcer {
  return {
    async changed({ memberId, role }, status) {
      // Events are tenants'; of staff the gateways are to remember nothing.
      if (role !== 'platform') await bus.publish('member.changed', { memberId, status, role }, { orderingKey: memberId });
    },

    async audit(deed) {
      const realm = currentRealm();
      const at = now();
      const actor = currentActor();
      if (realm === undefined) await staffAudit.append(at, actor, deed);
      else await bus.publish('audit.recorded', { at: at.toISOString(), actor, ...deed, facts: { ...deed.facts } }, { orderingKey: realm });
    },
  };
}

/** What the audit tells of a person. */
export function auditedPerson({ email, name, role, status }: Pick<Person, 'email' | 'name' | 'role' | 'status'>): Record<string, unknown> {
  return { email, name, role, status };
}

