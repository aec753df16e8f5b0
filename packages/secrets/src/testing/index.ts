/** Stand-ins for Vault's transit engine and AWS KMS that speak their HTTP APIs, for tests. */
export type { Fault, StandIn } from './serve-json.ts';
export { startStandInKms, standInKmsCredentials, type StandInKms } from './start-stand-in-kms.ts';
export { startStandInVault, type StandInVault } from './start-stand-in-vault.ts';
