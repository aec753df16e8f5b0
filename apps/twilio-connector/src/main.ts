import { runService } from '@switchboard/service-kit';
import { service } from './service.ts';

await runService(service);
