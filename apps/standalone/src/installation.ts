import { StartRefusal } from '@switchboard/service-kit';
import { randomBytes } from 'node:crypto';
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Secrets of one installation; each lies in a file of its own (mode 600) in the home folder, made once. */
const secretFiles = {
  adminKey: 'admin-key',
  internalTokenSecret: 'internal-token-secret',
  keyEncryptionKey: 'key-encryption-key',
  apiKeyPepper: 'api-key-pepper',
  mediaUrlSecret: 'media-url-secret',
  databasePassword: 'database-password',
} as const;

/** Characters; shorter keys can be guessed. */
const adminKeyLengthMin = 16;

export type InstallationSecrets = Readonly<Record<keyof typeof secretFiles, string>>;

export type Installation = {
  /** Folder with all state of the embedded mode. */
  readonly home: string;
  readonly adminKeyFile: string;
  readonly secrets: InstallationSecrets;
};

/**
 * Opens the home folder, creating it and its secrets where they are missing. `adminKey` (from ADMIN_KEY) replaces the stored one for this
 * run. Throws StartRefusal when the folder cannot be written.
 */
export function openInstallation(home: string, adminKey: string | undefined): Installation {
  if (adminKey !== undefined && adminKey !== '' && adminKey.length < adminKeyLengthMin) throw new StartRefusal(`ADMIN_KEY is too short; give at least ${adminKeyLengthMin} characters.`);
  try {
    mkdirSync(home, { recursive: true });
    accessSync(home, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new StartRefusal(`The folder ${home} cannot be written; give it to the user that runs Switchboard, or set SWITCHBOARD_HOME to another one.`, { cause });
  }
  const secrets = Object.fromEntries(Object.entries(secretFiles).map(([name, file]) => [name, loadSecret(join(home, file), name === 'keyEncryptionKey')])) as Record<
    keyof typeof secretFiles,
    string
  >;
  if (adminKey !== undefined && adminKey !== '') secrets.adminKey = adminKey;
  return { home, adminKeyFile: join(home, secretFiles.adminKey), secrets };
}

/** 256 random bits; the key-encryption key as base64 because AES wants exactly 32 bytes, the others in URL-safe letters. */
function loadSecret(file: string, isKey: boolean): string {
  if (!existsSync(file)) {
    writeFileSync(file, `${randomBytes(32).toString(isKey ? 'base64' : 'base64url')}\n`, { mode: 0o600, flag: 'wx' });
  }
  try {
    chmodSync(file, 0o600);
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new StartRefusal(`The file ${file} cannot be read; it belongs to another user.`, { cause });
  }
}
