import { isHubError } from '@switchboard/contracts';
import type { EventBus } from '@switchboard/event-bus';
import type { Realm } from '../domain/realm.ts';

/**
 * Whether a realm is that of an erased tenant, whose transactions are refused: at every door where nobody has proved anything yet it is to be as
 * one that never was. From the mark that refuses, and not from what tenant-service says: the two may differ for a moment, which would show, and
 * people log in while tenant-service is away.
 */
export type IsErased = (realm: Realm) => Promise<boolean>;

export function createErasedCheck(erasedTenants: Pick<EventBus['erasedTenants'], 'admit'>): IsErased {
  return async (realm) => {
    if (realm === undefined) return false;
    try {
      await erasedTenants.admit(realm);
      return false;
    } catch (error) {
      // A question is asked here: the refusal is its answer.
      if (isHubError(error) && error.code === 'tenant.not_found') return true;
      throw error;
    }
  };
}
