import { mediaConfig } from '@switchboard/connector-kit';
import { z } from 'zod';

export const configSchema = mediaConfig.extend({
  twilioTranscriptWaitSeconds: z.coerce.number().int().min(1).max(3600).default(120).describe('Seconds that a voicemail waits for its transcript after its recording is there; then it goes on without one'),
  twilioReconcileMinutes: z.coerce.number().int().min(1).max(10_080).default(60).describe('Minutes between two looks, per connection, whether Twilio has messages whose webhook never came'),
});
export type Config = z.output<typeof configSchema>;
