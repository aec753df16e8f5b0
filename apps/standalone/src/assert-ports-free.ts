import { StartRefusal, type ServiceDefinition } from '@switchboard/service-kit';
import { createServer } from 'node:net';
import { portOf, variablePrefix } from './service-environment.ts';

/** Refuses to start while another program listens on a port of ours, before anything was touched. */
export async function assertPortsFree(services: readonly ServiceDefinition[], environment: Record<string, string | undefined>): Promise<void> {
  for (const service of services) {
    const port = portOf(service, environment);
    if (!(await isFree(port))) {
      throw new StartRefusal(`Port ${port} (${service.name}) is in use; stop the program that uses it, or set ${variablePrefix(service.name)}_PORT to another port.`);
    }
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' || error.code === 'EACCES' ? resolve(false) : reject(error)));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
