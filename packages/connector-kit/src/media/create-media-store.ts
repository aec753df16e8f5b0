import { z } from 'zod';
import { createLocalMediaStore } from './create-local-media-store.ts';
import { createS3MediaStore } from './create-s3-media-store.ts';
import type { MediaStore } from './media-store.ts';

/** Variables of every service that stores or serves files; spread into its config. */
export const mediaConfig = z.object({
  MEDIA_DIR: z.string().default('.switchboard/media').describe('Folder that holds files of messages; unused when MEDIA_S3_BUCKET is set'),
  MEDIA_S3_BUCKET: z.string().optional().describe('Bucket that holds files of messages; without it they lie in MEDIA_DIR'),
  MEDIA_S3_REGION: z.string().default('us-east-1').describe('Region of the bucket'),
  MEDIA_S3_ENDPOINT: z.url().optional().describe('Address of an S3-compatible store; AWS when absent'),
  MEDIA_S3_PREFIX: z.string().default('').describe('In front of every object name'),
  MEDIA_S3_ACCESS_KEY_ID: z.string().default('').describe('Access key of the bucket'),
  MEDIA_S3_SECRET_ACCESS_KEY: z.string().default('').describe('Secret key of the bucket').meta({ secret: true }),
  MEDIA_URL_SECRET: z.string().min(32).describe('Signs links to files, at least 32 characters; the same for connectors and webhook-ingest').meta({ secret: true }),
  PUBLIC_WEBHOOK_URL: z.url().default('http://127.0.0.1:3003').describe('Address of webhook-ingest as providers see it'),
});
export type MediaConfig = z.output<typeof mediaConfig>;

/** The media store that the configuration names: a bucket, or a local folder (shared by the services of one machine). */
export function createMediaStore(config: Omit<MediaConfig, 'MEDIA_URL_SECRET' | 'PUBLIC_WEBHOOK_URL'>): MediaStore {
  if (config.MEDIA_S3_BUCKET === undefined || config.MEDIA_S3_BUCKET === '') return createLocalMediaStore(config.MEDIA_DIR);
  return createS3MediaStore({
    bucket: config.MEDIA_S3_BUCKET,
    region: config.MEDIA_S3_REGION,
    endpoint: config.MEDIA_S3_ENDPOINT,
    accessKeyId: config.MEDIA_S3_ACCESS_KEY_ID,
    secretAccessKey: config.MEDIA_S3_SECRET_ACCESS_KEY,
    prefix: config.MEDIA_S3_PREFIX,
  });
}
