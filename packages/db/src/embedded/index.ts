/**
 * A Postgres of one's own, from binaries that npm installed: for `npm start` and for tests. It outlives its starter when that is killed and is
 * adopted at the next start. It must not know what lies in its databases.
 */
export { holdExclusively } from './hold-exclusively.ts';
export { startPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from './start-postgres.ts';
