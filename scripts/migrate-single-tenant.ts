import { explain } from '../apps/standalone/src/explain.ts';
import { migrateSingleTenant } from './single-tenant/migrate-single-tenant.ts';
import { parseOptions } from './single-tenant/parse-options.ts';

/** Moves an old single-tenant deployment in; see docs/runbooks/migrate-single-tenant.md. */
try {
  console.log(await migrateSingleTenant(parseOptions(process.argv.slice(2)), process.env));
} catch (error) {
  process.stderr.write(`switchboard: ${explain(error)}\n`);
  process.exitCode = 1;
}
