import type { ConnectionWithSecrets, TenantId } from '@switchboard/contracts';
import type { Egress } from '@switchboard/service-kit';
import type { Chatbot } from '../create-chatbots.ts';

/** A place that knowledge is pushed to. Throws HubErrors that say their fate; pushing again goes on where it was. */
export type PushKnowledge = (push: {
  readonly tenantId: TenantId;
  readonly chatbot: Chatbot;
  readonly connection: ConnectionWithSecrets;
  readonly egress: Egress;
  /** Called after each step. Throws when the work is somebody else's by now, or the service must stop. */
  readonly note: (progress: { readonly done: number; readonly total: number }) => Promise<void>;
  readonly sleep: (ms: number) => Promise<void>;
}) => Promise<void>;
