import { migrate, provision } from '@switchboard/db';
import { installBus } from '@switchboard/event-bus';
import type { ServiceDefinition } from '../port.ts';

export type PrepareOptions = {
  /** Of a role that may create roles and schemas. The services never see it. */
  readonly adminUrl: string;
  readonly driver: 'embedded' | 'kafka';
  readonly rolePassword: (role: string) => string;
};

/** Makes a database ready for these services: roles and schemas, their migrations, the bus. Run again it changes nothing. */
export async function prepareServices(definitions: readonly ServiceDefinition[], { adminUrl, driver, rolePassword }: PrepareOptions): Promise<void> {
  const services = definitions.flatMap(({ name, database }) =>
    database === undefined ? [] : [{ service: name, schema: database.schema, prismaDirectory: database.prismaDirectory }],
  );
  await provision({ adminUrl, services, rolePassword });
  for (const service of services) await migrate({ adminUrl, service });
  await installBus({ adminUrl, driver, services, rolePassword });
}
