/**
 * The typed client of the public API, for a tenant's own programs: one method a route, named as in the contracts, with their types.
 * It talks to the gateway and to nothing else, keeps no state but the credential it was given, and needs only `fetch`.
 */
export { createSwitchboard, type Switchboard, type SwitchboardOptions } from './create-switchboard.ts';
export { SwitchboardError } from './switchboard-error.ts';
export type { CallOptions, OperationInput } from './operation-types.ts';
