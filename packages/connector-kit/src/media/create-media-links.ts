import { tenantIdSchema, type TenantId } from '@switchboard/contracts';
import { createTokenSigner } from '@switchboard/secrets';
import { currentTenant } from '@switchboard/tenant-context';

/** A provider fetches at once or on its retries; a person may open the link from a desk's transcript later the same day. */
const linkLifeMs = 24 * 3_600_000;

export type MediaLink = { readonly tenantId: TenantId; readonly mediaKey: string; readonly mimeType: string; readonly fileName: string | undefined };

export interface MediaLinks {
  /** `<PUBLIC_WEBHOOK_URL>/media/<token>` for a file of the current tenant: readable by whoever has the link, until it expires. */
  urlOf(file: { readonly mediaKey: string; readonly mimeType: string; readonly fileName?: string }): string;
  /** What a link's token opens; undefined when it is expired or not ours. */
  read(token: string): MediaLink | undefined;
}

/** Made by connectors, read by webhook-ingest. */
export function createMediaLinks(options: { readonly secret: string; readonly publicUrl: string; readonly now: () => Date }): MediaLinks {
  const signer = createTokenSigner({ secret: options.secret, purpose: 'media', now: options.now });
  const base = options.publicUrl.replace(/\/+$/, '');
  return {
    urlOf({ mediaKey, mimeType, fileName }) {
      // Rounded up to the hour: the same file has the same link for a while, and providers that cache by URL fetch it once.
      const expiresAt = new Date(Math.ceil((options.now().getTime() + linkLifeMs) / 3_600_000) * 3_600_000);
      const claims = { tenantId: currentTenant(), mediaKey, mimeType, ...(fileName === undefined ? {} : { fileName }) };
      return `${base}/media/${signer.sign(claims, expiresAt)}`;
    },
    read(token) {
      const claims = signer.verify(token);
      if (claims?.['mediaKey'] === undefined || claims['mimeType'] === undefined) return undefined;
      return { tenantId: tenantIdSchema.parse(claims['tenantId']), mediaKey: claims['mediaKey'], mimeType: claims['mimeType'], fileName: claims['fileName'] };
    },
  };
}
