import { findWebhookConnections } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';
import { hashHandshakeToken } from '../../accounts/post-draft.ts';
import type { Dependencies } from '../../app.ts';

export function findWebhookConnectionsRoute({ webhookConnections, config, now }: Dependencies): Route {
  return defineRoute(findWebhookConnections, ({ body: { connectionIds, routingIdentifiers, verifyToken } }) =>
    runAsSystem('the tenant of a webhook is what is asked for', async () => {
      const handshake = verifyToken && { provider: verifyToken.provider, tokenHash: hashHandshakeToken(config.apiKeyPepper, verifyToken.value) };
      return { connections: await webhookConnections.find({ connectionIds, routingIdentifiers, handshake }, now()) };
    }),
  );
}
