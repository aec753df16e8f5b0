import { z } from 'zod';
import { createLocalMediaStore } from './create-local-media-store.ts';
import { createS3MediaStore } from './create-s3-media-store.ts';
import type { MediaStore } from './media-store.ts';

/** Variables of every service that stores or serves files; spread into its config. */
export const mediaConfig = z.object({
  mediaDir: z.string().default('.switchboard/media').describe('Folder that holds files of messages; unused when MEDIA_S3_BUCKET is set'),
  mediaS3Bucket: z.string().optional().describe('Bucket that holds files of messages; without it they lie in MEDIA_DIR'),
  mediaS3Region: z.string().default('us-east-1').describe('Region of the bucket'),
  mediaS3Endpoint: z.url().optional().describe('Address of an S3-compatible store; AWS when absent'),
  mediaS3Prefix: z.string().default('').describe('In front of every object name'),
  mediaS3AccessKeyId: z.string().default('').describe('Access key of the bucket'),
  mediaS3SecretAccessKey: z.string().default('').describe('Secret key of the bucket').meta({ secret: true }),
  mediaUrlSecret: z.string().min(32).describe('Signs links to files, at least 32 characters; the same for connectors and webhook-ingest').meta({ secret: true }),
  publicWebhookUrl: z.url().default('http://127.0.0.1:3003').describe('Address of webhook-ingest as providers see it'),
});
export type MediaConfig = z.output<typeof mediaConfig>;

/** The media store that the configuration names: a bucket, or a local folder (shared by the services of one machine). */
export function createMediaStore(config: Omit<MediaConfig, 'mediaUrlSecret' | 'publicWebhookUrl'>): MediaStore {
  if (config.mediaS3Bucket === undefined || config.mediaS3Bucket === '') return createLocalMediaStore(config.mediaDir);
  return createS3MediaStore({
    bucket: config.mediaS3Bucket,
    region: config.mediaS3Region,
    endpoint: config.mediaS3Endpoint,
    accessKeyId: config.mediaS3AccessKeyId,
    secretAccessKey: config.mediaS3SecretAccessKey,
    prefix: config.mediaS3Prefix,
  });
}
