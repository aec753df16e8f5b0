/** What a Chatwoot server of a version does; the first releases are those of the provider's contract, section 0.1. */
const firstReleases = {
  patchMessageStatus: '4.2.0',
  botFailureOpens: '4.7.0',
  signsAccountWebhooks: '4.12.0',
  sendsDeliveryId: '4.12.0',
  retriesBots: '4.12.0',
  signsInboxWebhooks: '4.13.0',
  accountInPayloads: '4.14.2',
  botsReadConversations: '4.14.2',
} as const;

export type Ability = keyof typeof firstReleases;

export function can(version: string, ability: Ability): boolean {
  const [has, needs] = [numbersOf(version), numbersOf(firstReleases[ability])];
  for (let place = 0; place < 3; place++) {
    const difference = (has[place] ?? 0) - (needs[place] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function numbersOf(version: string): number[] {
  return version.split('.').map(Number);
}
