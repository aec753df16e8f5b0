/** Meta-tests that every service with a database runs: `describeDatabaseOfService(schema)` in one `*.int.test.ts`. */
export { describeDatabaseOfService, type DatabaseOfServiceOptions } from './describe-database-of-service.ts';
export { isTenantTable, readTables, type Table } from './read-tables.ts';
export { sampleRow } from './sample-row.ts';
