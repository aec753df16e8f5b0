import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { hubError } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import { createHash } from 'node:crypto';
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
  const client = new S3Client({
    region: options.region,
    endpoint: options.endpoint,
    credentials: { accessKeyId: options.accessKeyId, secretAccessKey: options.secretAccessKey },
    // Compatible stores seldom have a host name per bucket, and not all take the streamed checksums that the SDK adds by itself.
    forcePathStyle: options.endpoint !== undefined,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  const placeOf = (mediaKey: string) => ({ Bucket: options.bucket, Key: `${options.prefix ?? ''}${currentTenant()}/${mediaKey}` });

  return {
    async store(bytes) {
      const mediaKey = createHash('sha256').update(bytes).digest('hex');
      const place = placeOf(mediaKey);
      try {
        await client.send(new PutObjectCommand({ ...place, Body: bytes, ContentType: 'application/octet-stream' }));
      } catch (cause) {
        throw hubError('storage.unavailable', { publicMessage: 'The file could not be stored.', cause });
      }
      return mediaKey;
    },
    async load(mediaKey) {
      if (!mediaKeyPattern.test(mediaKey)) throw hubError('media.not_found');
      const place = placeOf(mediaKey);
      try {
        const { Body } = await client.send(new GetObjectCommand(place));
        if (Body === undefined) throw hubError('media.not_found');
        return Buffer.from(await Body.transformToByteArray());
      } catch (cause) {
        if (cause instanceof NoSuchKey || (cause instanceof S3ServiceException && cause.$metadata.httpStatusCode === 404)) throw hubError('media.not_found', { cause });
        throw hubError('storage.unavailable', { cause });
      }
    },
  };
}
