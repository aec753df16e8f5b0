/** Takes an account's own secrets out of a text that quotes a provider: some repeat what they were sent. */
export function withoutSecrets(text: string, credentials: Readonly<Record<string, string>>): string {
  // The longest first: a secret that begins with another one would leave its end behind.
  const secrets = Object.values(credentials).filter((secret) => secret !== '').toSorted((a, b) => b.length - a.length);
  return secrets.reduce((clean, secret) => clean.replaceAll(secret, '…'), text);
}
