import { service as apiGateway } from '@switchboard/api-gateway';
import { service as authService } from '@switchboard/auth-service';
import { service as botpressConnector } from '@switchboard/botpress-connector';
import { service as chatwootConnector } from '@switchboard/chatwoot-connector';
import { service as genesysConnector } from '@switchboard/genesys-connector';
import { service as providerSandbox } from '@switchboard/provider-sandbox';
import type { ServiceDefinition } from '@switchboard/service-kit';
import { service as stateManager } from '@switchboard/state-manager';
import { service as tenantService } from '@switchboard/tenant-service';
import { service as twilioConnector } from '@switchboard/twilio-connector';
import { service as webhookIngest } from '@switchboard/webhook-ingest';
import { service as whatsappConnector } from '@switchboard/whatsapp-connector';

/**
 * Every service, in the order of starting: who is asked starts before who asks, the two public doors last. Stopping goes backwards.
 */
export const services: readonly ServiceDefinition[] = [providerSandbox, tenantService, authService, stateManager, whatsappConnector, genesysConnector, chatwootConnector, botpressConnector, twilioConnector, webhookIngest, apiGateway];
