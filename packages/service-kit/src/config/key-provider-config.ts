import { z } from 'zod';

const secret = { secret: true } as const;

export const keyProviderNames = ['env', 'file', 'vault-transit', 'aws-kms'] as const;

/** Variables of what wraps the tenants' data keys. Every provider that is configured unwraps what it wrapped; `keyProvider` says which one wraps. */
export const keyProviderConfigSchema = z.object({
  keyProvider: z
    .enum(keyProviderNames)
    .optional()
    .describe('what wraps the data keys: env or file (KEY_ENCRYPTION_KEY, or KEY_ENCRYPTION_KEY_FILE; the same as nothing said), vault-transit or aws-kms. Others that are configured too go on unwrapping what they wrapped'),
  keyEncryptionKey: z.string().optional().describe('the key that wraps the data keys: 32 bytes as base64 or hex; after a comma, previous ones that only unwrap').meta(secret),
  vaultAddr: z.string().optional().describe('the https address of Vault'),
  vaultToken: z.string().optional().describe("Vault's token, which may use the transit key to encrypt and decrypt").meta(secret),
  vaultTransitKey: z.string().optional().describe('the name of the transit key in Vault'),
  vaultTransitMount: z.string().default('transit').describe('where the transit engine is mounted in Vault'),
  vaultNamespace: z.string().optional().describe("Vault's namespace, where it has any"),
  awsKmsKeyId: z.string().optional().describe('the id, ARN or alias of the symmetric key in AWS KMS'),
  awsRegion: z.string().optional().describe('the AWS region of the key'),
  awsAccessKeyId: z.string().optional().describe('the AWS access key id that may use the key').meta(secret),
  awsSecretAccessKey: z.string().optional().describe('the AWS secret access key').meta(secret),
  awsSessionToken: z.string().optional().describe('the AWS session token of temporary credentials').meta(secret),
  awsKmsEndpoint: z.string().optional().describe("the https address of AWS KMS, when it is not the region's own"),
});
export type KeyProviderConfig = z.output<typeof keyProviderConfigSchema>;
