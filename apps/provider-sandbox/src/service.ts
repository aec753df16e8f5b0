import { defineService } from '@switchboard/service-kit';
import { build } from './app.ts';
import { config } from './config.ts';

export const service = defineService({ name: 'provider-sandbox', port: 3020, config, build });
