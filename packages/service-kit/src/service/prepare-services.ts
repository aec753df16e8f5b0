import * as databasePackage from '@switchboard/db';
import type { ServiceSchema } from '@switchboard/db';
import { installBus } from '@switchboard/event-bus';
import type { ServiceDefinition } from '../port.ts';
import { shortName } from './short-name.ts';

type Landing = {
  provision: (options: { adminUrl: string; services: readonly ServiceSchema[]; rolePassword: (role: string) => string }) => Promise<void>;
  migrate: (options: { adminUrl: string; service: ServiceSchema }) => Promise<unknown>;
};
const { provision, migrate } = databasePackage as unknown as Landing;

export type PrepareOptions = {
  /** Of a role that may create roles and schemas. The services never see it. */
  readonly adminUrl: string;
  readonly driver: 'embedded' | 'kafka';
  readonly rolePassword: (role: string) => string;
};

/** Makes a database ready for these services: roles and schemas, their migrations, the bus. Run again it changes nothing. */
export async function prepareServices(definitions: readonly ServiceDefinition[], { adminUrl, driver, rolePassword }: PrepareOptions): Promise<void> {
  const services = definitions.flatMap(({ name, database }) =>
    database === undefined ? [] : [{ service: shortName(name), schema: database.schema, prismaDirectory: database.prismaDirectory }],
  );
  await provision({ adminUrl, services, rolePassword });
  for (const service of services) await migrate({ adminUrl, service });
  await installBus({ adminUrl, driver, services });
}
