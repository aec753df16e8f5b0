import type { S3Client } from '@aws-sdk/client-s3';
import { hubError, isHubError } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { mediaKeyPattern, type MediaStore } from './media-store.ts';

export type S3Options = {
  readonly bucket: string;
  readonly region: string;
  /** Of a compatible store; AWS when absent. */
  readonly endpoint?: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** In front of every object's name. */
  readonly prefix?: string;
};

/** Objects named `<prefix><tenant>/<key>` in one bucket. The bucket is the platform's, not a tenant's: these calls do not pass the egress guard. */
export function createS3MediaStore(options: S3Options): MediaStore {
  let opened: ReturnType<typeof openClient> | undefined;
  const open = () => (opened ??= openClient(options));
  const placeOf = (mediaKey: string) => ({ Bucket: options.bucket, Key: `${options.prefix ?? ''}${currentTenant()}/${mediaKey}` });

  return {
    async store(bytes) {
      const mediaKey = createHash('sha256').update(bytes).digest('hex');
      const place = placeOf(mediaKey);
      const { sdk, client } = await open();
      try {
        await client.send(new sdk.PutObjectCommand({ ...place, Body: bytes, ContentType: 'application/octet-stream' }));
      } catch (cause) {
        throw hubError('storage.unavailable', { publicMessage: 'The file could not be stored.', cause });
      }
      return mediaKey;
    },
    async load(mediaKey, bytesMax = Number.POSITIVE_INFINITY) {
      if (!mediaKeyPattern.test(mediaKey)) throw hubError('media.not_found');
      const place = placeOf(mediaKey);
      const { sdk, client } = await open();
      try {
        const { Body, ContentLength: size = 0 } = await client.send(new sdk.GetObjectCommand(place));
        if (Body === undefined) throw hubError('media.not_found');
        if (size > bytesMax) {
          if (Body instanceof Readable) Body.destroy();
          throw hubError('media.too_large', { detail: { size, bytesMax } });
        }
        return Buffer.from(await Body.transformToByteArray());
      } catch (cause) {
        if (isHubError(cause)) throw cause;
        if (cause instanceof sdk.S3ServiceException && cause.$metadata.httpStatusCode === 404) throw hubError('media.not_found', { cause });
        throw hubError('storage.unavailable', { cause });
      }
    },
    async eraseAll() {
      const { sdk, client } = await open();
      const Bucket = options.bucket;
      // The slash ends the name: tenant "acme" has nothing of "acme-2".
      const Prefix = `${options.prefix ?? ''}${currentTenant()}/`;
      try {
        for (let erased = 0; ; ) {
          const { Contents = [] } = await client.send(new sdk.ListObjectsV2Command({ Bucket, Prefix }));
          if (Contents.length === 0) return erased;
          const { Errors = [] } = await client.send(new sdk.DeleteObjectsCommand({ Bucket, Delete: { Objects: Contents.flatMap(({ Key }) => (Key === undefined ? [] : [{ Key }])), Quiet: true } }));
          if (Errors.length > 0) throw new Error(`The store kept ${Errors.length} of the objects: ${Errors[0]?.Code ?? ''}`);
          erased += Contents.length;
        }
      } catch (cause) {
        throw hubError('storage.unavailable', { cause });
      }
    },
  };
}

/** The SDK is loaded where a bucket is used: it costs 35 MB of memory in every process that imports it. */
async function openClient({ region, endpoint, accessKeyId, secretAccessKey }: S3Options) {
  const sdk = await import('@aws-sdk/client-s3');
  const client: S3Client = new sdk.S3Client({
    region,
    endpoint,
    credentials: { accessKeyId, secretAccessKey },
    // Compatible stores seldom have a host name per bucket, and not all take the streamed checksums that the SDK adds by itself.
    forcePathStyle: endpoint !== undefined,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  return { sdk, client };
}
