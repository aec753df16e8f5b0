import type { Kit, RawRoute, ServiceParts } from '@switchboard/service-kit';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import type { config } from './config.ts';
import { controlRoutes } from './control/control-routes.ts';
import { findRoute, readExchange, writeAnswer, type Answer } from './exchange.ts';
import { Faults, type Fault } from './faults.ts';
import { genesysError, genesysRoutes } from './genesys/genesys-routes.ts';
import { GenesysWebhooks } from './genesys/genesys-webhooks.ts';
import { metaError, metaGraphRoutes } from './meta/graph-routes.ts';
import { MetaWebhooks } from './meta/meta-webhooks.ts';
import { SandboxState } from './sandbox-state.ts';
import { WebhookSender } from './webhook-sender.ts';

/** Stand-ins for the providers: their APIs under /whatsapp and /genesys, the control API under /sandbox. */
export function build({ config: settings, now }: Kit<z.output<typeof config>, unknown>): ServiceParts {
  const state = new SandboxState(settings.sandboxJournal);
  const faults = new Faults();
  const sender = new WebhookSender(faults);
  const metaWebhooks = new MetaWebhooks(sender, now);
  const genesysWebhooks = new GenesysWebhooks(sender, state, now);
    const deps = { state, faults, metaWebhooks, genesysWebhooks, webhooks: metaWebhooks, webhookUrl: settings.publicWebhookUrl, publicUrl: settings.sandboxPublicUrl, now };
  const routes = [...metaGraphRoutes(deps), ...genesysRoutes(deps), ...controlRoutes(deps)];

  const answerAll: RawRoute['handle'] = async (request, response) => {
    const exchange = await readExchange(request);
    const provider = exchange.url.pathname.startsWith('/whatsapp/') ? 'whatsapp' : exchange.url.pathname.startsWith('/genesys/') ? 'genesys' : undefined;
    const fault = provider && faults.take(provider, 'answers', exchange.url.pathname);
    if (fault?.delayMs !== undefined) await sleep(fault.delayMs);
    if (fault?.drop === 'request') {
      request.socket.destroy();
      return;
    }
    if (fault?.status !== undefined) {
      writeAnswer(response, faultAnswer(fault, fault.status));
      return;
    }
    const found = findRoute(routes, exchange.method, exchange.url.pathname);
    const answer = found === undefined ? notFound(provider) : await found.route.handle({ ...exchange, match: found.match });
    if (fault?.drop === 'answer') {
      request.socket.destroy();
      return;
    }
    writeAnswer(response, answer);
  };

  const methods = ['GET', 'POST', 'PATCH', 'DELETE'];
  return {
    routes: [],
    rawRoutes: methods.map((method) => ({ method, pattern: /^\/(whatsapp|genesys|sandbox)\//, handle: answerAll })),
    onStop: () => sender.close(),
  };
}

function faultAnswer(fault: Fault, status: number): Answer {
  const answer =
    fault.provider === 'whatsapp'
      ? metaError(status, typeof fault.code === 'number' ? fault.code : 131000, 'Something went wrong', 'as told to the sandbox')
      : genesysError(status, typeof fault.code === 'string' ? fault.code : status === 429 ? 'too.many.requests' : 'internal.server.error', 'as told to the sandbox');
  return fault.retryAfterSeconds === undefined ? answer : { ...answer, headers: { 'retry-after': String(fault.retryAfterSeconds) } };
}

function notFound(provider: 'whatsapp' | 'genesys' | undefined): Answer {
  if (provider === 'genesys') return genesysError(404, 'not.found', 'The requested resource was not found.');
  if (provider === 'whatsapp') return metaError(400, 2500, 'Unknown path components', 'the sandbox does not have this path');
  return { status: 404, json: { error: 'The sandbox has no such control route; see its README.' } };
}
