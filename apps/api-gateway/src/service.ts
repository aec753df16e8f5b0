/**
 * The one public door for tenants: which tenant, within its limit? then forward. Keeps nothing but what a lost cache can find again.
 * It knows no route of the services behind it, only their prefixes, and nothing that a caller says about who they are except the key.
 */
import { defineService } from '@switchboard/service-kit';
import { build } from './app.ts';
import { config } from './config.ts';

export const service = defineService({ name: 'api-gateway', port: 3000, config, build });
