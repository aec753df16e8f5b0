import type { Kit, RawRoute, ServiceParts } from '@switchboard/service-kit';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import type { config } from './config.ts';
import { botpressApi } from './botpress/botpress-api.ts';
import { CloudBots } from './botpress/cloud-bots.ts';
import { cloudError, v12Error } from './botpress/refusals.ts';
import { chatwootApi } from './chatwoot/chatwoot-api.ts';
import { ChatwootWebhooks } from './chatwoot/chatwoot-webhooks.ts';
import { refusal, throttled } from './chatwoot/refusals.ts';
import { botpressControlRoutes } from './control/botpress-control.ts';
import { chatwootControlRoutes } from './control/chatwoot-control.ts';
import { twilioControlRoutes } from './control/twilio-control.ts';
import { controlRoutes } from './control/control-routes.ts';
import { findRoute, readExchange, writeAnswer, type Answer, type Exchange } from './exchange.ts';
import { Faults, type Fault } from './faults.ts';
import { genesysError, genesysRoutes } from './genesys/genesys-routes.ts';
import { GenesysWebhooks } from './genesys/genesys-webhooks.ts';
import { metaError, metaGraphRoutes } from './meta/graph-routes.ts';
import { MetaWebhooks } from './meta/meta-webhooks.ts';
import { SandboxState } from './sandbox-state.ts';
import { fetchFile } from './twilio/fetch-file.ts';
import { MessageLife } from './twilio/message-life.ts';
import * as twilioRefusals from './twilio/refusals.ts';
import { twilioApi } from './twilio/twilio-api.ts';
import { TwilioStore } from './twilio/twilio-store.ts';
import { TwilioWebhooks } from './twilio/twilio-webhooks.ts';
import { WebhookSender } from './webhook-sender.ts';

/** Stand-ins for the providers: their APIs under /whatsapp, /genesys, /chatwoot, /botpress and /twilio, the control API under /sandbox. */
export function build({ config: settings, now }: Kit<z.output<typeof config>, unknown>): ServiceParts {
  const state = new SandboxState(settings.sandboxJournal);
  const faults = new Faults();
  const sender = new WebhookSender(faults);
  const metaWebhooks = new MetaWebhooks(sender, now);
  const genesysWebhooks = new GenesysWebhooks(sender, state, now);
  const chatwootWebhooks = new ChatwootWebhooks(sender, state, now);
  const cloudBots = new CloudBots(state, sender, now);
  const twilioStore = new TwilioStore(state);
  const twilioWebhooks = new TwilioWebhooks(sender, twilioStore, now);
  const life = new MessageLife(twilioStore, twilioWebhooks, fetchFile, now);
  const publicUrl = settings.sandboxPublicUrl.replace(/\/$/, '');
  const deps = { state, faults, metaWebhooks, genesysWebhooks, chatwootWebhooks, cloudBots, life, twilioWebhooks, webhooks: metaWebhooks, webhookUrl: settings.publicWebhookUrl, publicUrl, now };
  const routes = [...metaGraphRoutes(deps), ...genesysRoutes(deps), ...controlRoutes(deps), ...chatwootControlRoutes(deps), ...botpressControlRoutes(deps), ...twilioControlRoutes(deps)];
  const chatwoot = chatwootApi({ state, webhooks: chatwootWebhooks, publicUrl, now });
  const botpress = botpressApi({ state, bots: cloudBots, publicUrl, now });
  const twilio = twilioApi({ state, life, publicUrl, now });

  const answerOf = async (exchange: Omit<Exchange, 'match'>, provider: Fault['provider'] | undefined): Promise<Answer> => {
    if (provider === 'chatwoot') return chatwoot({ ...exchange, match: [] });
    if (provider === 'botpress') return botpress({ ...exchange, match: [] });
    if (provider === 'twilio') return await twilio({ ...exchange, match: [] });
    const found = findRoute(routes, exchange.method, exchange.url.pathname);
    return found === undefined ? notFound(provider) : await found.route.handle({ ...exchange, match: found.match });
  };

  const answerAll: RawRoute['handle'] = async (request, response) => {
    const exchange = await readExchange(request);
    const provider = providerOf(exchange.url.pathname);
    const fault = provider && faults.take(provider, 'answers', exchange.url.pathname);
    if (fault?.delayMs !== undefined) await sleep(fault.delayMs);
    if (fault?.drop === 'request') {
      request.socket.destroy();
      return;
    }
    if (fault?.status !== undefined) {
      writeAnswer(response, faultAnswer(fault, fault.status, exchange.url.pathname));
      return;
    }
    const answer = await answerOf(exchange, provider);
    if (fault?.drop === 'answer') {
      request.socket.destroy();
      return;
    }
    writeAnswer(response, answer);
  };

  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
  return {
    routes: [],
    rawRoutes: methods.map((method) => ({ method, pattern: /^\/(whatsapp|genesys|chatwoot|botpress|twilio|sandbox)\//, handle: answerAll })),
    onStop: () => sender.close(),
  };
}

function providerOf(path: string): Fault['provider'] | undefined {
  return (['whatsapp', 'genesys', 'chatwoot', 'botpress', 'twilio'] as const).find((provider) => path.startsWith(`/${provider}/`));
}

function faultAnswer(fault: Fault, status: number, path: string): Answer {
  const answer = errorOf(fault, status, path);
  return fault.retryAfterSeconds === undefined ? answer : { ...answer, headers: { ...answer.headers, 'retry-after': String(fault.retryAfterSeconds) } };
}

/** The error in the provider's own form. */
function errorOf({ provider, code }: Fault, status: number, path: string): Answer {
  const text = 'as told to the sandbox';
  if (provider === 'whatsapp') return metaError(status, typeof code === 'number' ? code : 131000, 'Something went wrong', text);
  if (provider === 'chatwoot') return status === 429 ? throttled() : refusal(status, typeof code === 'string' ? code : status === 401 ? 'Invalid Access Token' : text);
  if (provider === 'twilio') return twilioRefusals.refusal(status, typeof code === 'number' ? code : (twilioCodes[status] ?? 20500), text);
  if (provider === 'botpress') return path.includes('/api/v1/') ? v12Error(status, typeof code === 'string' ? code : text) : cloudError(status, typeof code === 'string' ? code : text);
  return genesysError(status, typeof code === 'string' ? code : status === 429 ? 'too.many.requests' : 'internal.server.error', text);
}

/** Codes of Twilio that go with a status. */
const twilioCodes: Readonly<Record<number, number>> = { 401: 20003, 403: 20003, 404: 20404, 429: 20429, 503: 20503 };

function notFound(provider: Fault['provider'] | undefined): Answer {
  if (provider === 'genesys') return genesysError(404, 'not.found', 'The requested resource was not found.');
  if (provider === 'whatsapp') return metaError(400, 2500, 'Unknown path components', 'the sandbox does not have this path');
  return { status: 404, json: { error: 'The sandbox has no such control route; see its README.' } };
}
