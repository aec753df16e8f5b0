import { parseArgs } from 'node:util';
import { plans, tenantIdSchema, type Plan, type TenantId } from '../../packages/contracts/src/index.ts';
import { StartRefusal } from '../../packages/service-kit/src/index.ts';

export type Options = {
  /** Postgres URL of the old database; only read. Holds a password: never shown. */
  readonly from: string;
  /** The one tenant to import; every old tenant becomes one of ours when it is left out. */
  readonly tenant: TenantId | undefined;
  /** What that tenant is called in the old tables, where it is called otherwise. */
  readonly fromTenant: string | undefined;
  readonly dryRun: boolean;
  /** Have the hub ask the providers about accounts whose credentials are not complete, and set its webhooks there. */
  readonly connect: boolean;
  /** For tenants whose old plan is none of ours. */
  readonly plan: Plan;
  /** The number of conversations that name none. */
  readonly phoneNumberId: string | undefined;
  /** The Open Messaging integration of conversations, where the old tables have no Genesys credentials. */
  readonly integrationId: string | undefined;
  /** The old installation's .env file: what its tables do not hold (app secret, verify token …). */
  readonly oldEnvFile: string | undefined;
};

export const usage = `Usage: npm run migrate:single-tenant -- --from postgres://user:password@host/database [--tenant <id>] [--dry-run]
  --tenant <id>            import one tenant under this id; without it every old tenant becomes one of the same id
  --from-tenant <id>       what that tenant is called in the old tables
  --old-env <file>         the old installation's .env, for secrets that its tables do not hold
  --phone-number-id <id>   the WhatsApp number of conversations that name none
  --integration-id <id>    the Genesys integration, where the old tables have no credentials of one
  --plan <plan>            for tenants whose old plan is not known here: ${plans.join(', ')} (enterprise)
  --connect                let the hub take over at the providers: asks them and sets its webhooks there
  --dry-run                write nothing, report what would be written`;

/** Arguments of the command line → options. Throws StartRefusal with what is wrong. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = read(args);
  if (values.from === undefined || !/^postgres(ql)?:\/\//.test(values.from)) throw new StartRefusal(`--from is the Postgres URL of the old database.\n${usage}`);
  const tenant = values.tenant === undefined ? undefined : tenantIdSchema.safeParse(values.tenant);
  if (tenant?.success === false) throw new StartRefusal('--tenant is not a tenant id: use 2 to 63 of a-z, 0-9, "-" and "_", starting with a letter or digit.');
  if (values['from-tenant'] !== undefined && tenant === undefined) throw new StartRefusal('--from-tenant says what --tenant is called in the old tables: give --tenant too.');
  const plan = plans.find((known) => known === values.plan);
  if (plan === undefined) throw new StartRefusal(`--plan is one of ${plans.join(', ')}.`);
  return {
    from: values.from,
    tenant: tenant?.data,
    fromTenant: values['from-tenant'],
    dryRun: values['dry-run'],
    connect: values.connect,
    plan,
    phoneNumberId: values['phone-number-id'],
    integrationId: values['integration-id'],
    oldEnvFile: values['old-env'],
  };
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      options: {
        from: { type: 'string' },
        tenant: { type: 'string' },
        'from-tenant': { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        connect: { type: 'boolean', default: false },
        plan: { type: 'string', default: 'enterprise' },
        'phone-number-id': { type: 'string' },
        'integration-id': { type: 'string' },
        'old-env': { type: 'string' },
      },
    });
  } catch (cause) {
    throw new StartRefusal(`${(cause as Error).message}\n${usage}`, { cause }); // parseArgs throws Errors alone
  }
}
