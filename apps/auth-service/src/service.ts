import { defineService } from '@switchboard/service-kit';
import { build } from './app.ts';
import { config } from './config.ts';

export const service = defineService({ name: 'auth-service', port: 3001, config, build });
