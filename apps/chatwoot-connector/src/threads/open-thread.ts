import { hubError, isHubError } from '@switchboard/contracts';
import type { PartContact } from '../part.ts';
import type { Room } from '../room.ts';
import type { Thread, Threads } from '../store/threads.ts';
import { makeThread } from './make-thread.ts';

export type ThreadDeps = { readonly threads: Threads; readonly sleep: (ms: number) => Promise<void> };

/** Milliseconds: how often, and how long, somebody else's making is looked after. Longer than a usual one takes; then the bus comes back. */
const lookMs = 200;
const waitMaxMs = 10_000;

/** The contact's conversation at the inbox; made where there is none, once, whoever else wants it at the same time. */
export async function openThread(room: Room, contact: PartContact, { threads, sleep }: ThreadDeps): Promise<Thread> {
  const key = { inboxKey: room.inboxKey, address: contact.address };
  for (let waitedMs = 0; waitedMs <= waitMaxMs; waitedMs += lookMs) {
    const claimed = await threads.claim(key);
    if (claimed.kind === 'known') return claimed;
    if (claimed.kind === 'claimed') {
      try {
        const made = await makeThread(room, contact);
        await threads.settle(key, claimed.claim, made);
        return { displayId: made.displayId, lastMessageId: 0 };
      } catch (error) {
        await threads.release(key, claimed.claim);
        throw ofAccount(error);
      }
    }
    await sleep(lookMs);
  }
  throw hubError('service.unavailable', { publicMessage: 'The contact\'s conversation is being made by another process.', retry: { afterMs: 5_000, counted: false }, detail: { sent: false } });
}

/** Nothing of a contact exists yet, so what is not found is the account or its inbox: messages wait until that is mended. */
function ofAccount(error: unknown): unknown {
  if (!isHubError(error) || error.code !== 'provider.not_found') return error;
  return hubError('provider.not_found', { publicMessage: 'The inbox does not exist at Chatwoot any more; post the credentials of the connection again.', detail: { ...error.detail, scope: 'account' }, cause: error });
}
