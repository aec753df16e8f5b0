/** Takes the account's own secrets out of a text that quotes a provider: some repeat what they were sent. */
export function withoutSecrets(text: string, credentials: Readonly<Record<string, string>>): string {
  return Object.values(credentials).reduce((clean, secret) => clean.replaceAll(secret, '…'), text);
}
