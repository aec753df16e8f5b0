import { parseArgs } from 'node:util';
import { explain } from '../apps/standalone/src/explain.ts';
import { openServiceDatabases } from '../apps/standalone/src/service-databases.ts';
import { services } from '../apps/standalone/src/services.ts';
import { verifyAudits } from '../apps/standalone/src/verify-audits.ts';
import { tenantIdSchema } from '../packages/contracts/src/index.ts';

/**
 * Follows every tenant's audit chain straight from the database and names the first entry that is changed, replaced, missing or too many
 * (docs/runbooks/audit.md). `--tenant <id>` one alone; `--heads` prints where each chain ends; `--expect <sequence>:<hash>` compares with a head
 * that was kept elsewhere. Ends with 1 when a chain is broken.
 */
const faults = { changed: 'was changed', unlinked: 'does not continue the entry before it: one of the two was replaced', missing: 'is missing', surplus: 'was not appended by the hub' };

async function verify(): Promise<void> {
  const { values } = parseArgs({ options: { tenant: { type: 'string' }, heads: { type: 'boolean', default: false }, expect: { type: 'string' } } });
  const tenantId = values.tenant === undefined ? undefined : tenantIdSchema.parse(values.tenant);
  const [, sequence, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(values.expect ?? '') ?? [];
  if (values.expect !== undefined && (sequence === undefined || hash === undefined || tenantId === undefined)) throw new Error('--expect wants <sequence>:<hash>, as --heads prints it, and --tenant beside it.');
  const tenantService = services.find(({ name }) => name === 'tenant-service');
  if (tenantService === undefined) throw new Error('tenant-service is not among the services.');

  let broken = 0;
  for (const place of await openServiceDatabases(process.env)) {
    try {
      const sum = await verifyAudits({
        tenantService,
        databaseUrlOf: place.databaseUrlOf,
        tenantId,
        expected: sequence === undefined || hash === undefined ? undefined : { sequence: Number(sequence), hash },
        onVerdict: (id, { entries, head, fault }) => {
          if (fault !== undefined) console.log(`${id}: entry ${fault.sequence}${fault.auditId === null ? '' : ` (${fault.auditId})`} ${faults[fault.fault]}; ${entries} entries before it are good`);
          else if (values.heads || tenantId !== undefined) console.log(`${id} ${head.sequence}:${head.hash}`);
        },
      });
      console.log(`${place.name}: ${sum.tenants} tenants, ${sum.entries} good entries, ${sum.broken} broken chains`);
      broken += sum.broken;
    } finally {
      await place.close();
    }
  }
  if (broken > 0) throw new Error(`${broken} audit chains are broken: see docs/runbooks/audit.md.`);
}

try {
  await verify();
} catch (error) {
  process.stderr.write(`switchboard: ${explain(error)}\n`);
  process.exitCode = 1;
}
