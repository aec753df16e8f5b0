import type { ConnectorDefinition, ConnectorTools, MediaStore } from '@switchboard/connector-kit';
import { hubError, isHubError, type Media } from '@switchboard/contracts';
import type { Database } from '@switchboard/db';
import { onEvent, type Subscription } from '@switchboard/event-bus';
import type { Calls } from '../store/calls.ts';
import type { CallStep } from '../voicemail-step.ts';
import { addStep, type Call } from './call.ts';
import { decideVoicemail, type UnheardRecording } from './decide-voicemail.ts';

type CheckParts = {
  readonly group: string;
  readonly db: Pick<Database<unknown>, 'transaction'>;
  readonly now: () => Date;
  readonly waitMs: number;
  readonly calls: Calls;
  readonly advance: (call: Call) => Promise<void>;
  readonly tools: Pick<ConnectorTools, 'connections' | 'runClient'>;
  readonly client: Pick<ConnectorDefinition['client'], 'fetchMedia'>;
  readonly mediaStore: Pick<MediaStore, 'store'>;
};

/** Times a recording is asked for before the message goes on without it: others of the connection wait meanwhile. */
const fetchAttemptsMax = 4;

/** When its time is over, the call is told of with what has come. What Twilio has and never told of is fetched before. */
export function onVoicemailCheck(parts: CheckParts): Subscription {
  const { group, db, now, waitMs, calls, advance } = parts;
  return onEvent({
    type: 'voicemail.check',
    group,
    effect: 'idempotent',
    async handle({ payload: { connectionId, callId, dueAt } }, context) {
      const afterMs = Date.parse(dueAt) - now().getTime();
      if (afterMs > 0) throw hubError('service.unavailable', { publicMessage: 'Twilio still has time to tell more of the call.', retry: { afterMs, counted: false, planned: true } });
      const key = { connectionId, callSid: callId };
      const before = await db.transaction(() => calls.find(key));
      if (before === undefined) return;
      const { unheard } = decideVoicemail(before, now().getTime(), waitMs);
      // No transaction stays open while Twilio is slow.
      const step = unheard && (await fetchUnheard(parts, before, unheard, context.attempt >= fetchAttemptsMax));
      await context.commit(async () => {
        const call = await calls.find(key);
        if (call !== undefined) await advance(step === undefined ? call : addStep(call, step, call.settings));
      });
    },
  });
}

/** As the webhook that never came would have told it. */
async function fetchUnheard(parts: CheckParts, { connectionId, callSid }: Call, { recordingSid, url, seconds, at }: UnheardRecording, isLastTry: boolean): Promise<CallStep> {
  const facts = { CallSid: callSid, RecordingSid: recordingSid, RecordingUrl: url, RecordingStatus: 'completed', ...(seconds === null ? {} : { RecordingDuration: String(seconds) }) };
  return { name: 'recording', callSid, facts, media: await fetchFile(parts, connectionId, { id: recordingSid, url }, isLastTry), at: new Date(at).toISOString() };
}

async function fetchFile({ tools, client, mediaStore }: CheckParts, connectionId: Call['connectionId'], remote: { readonly id: string; readonly url: string }, isLastTry: boolean): Promise<Media> {
  const media = { mimeType: 'audio/mpeg', fileName: 'voicemail.mp3' };
  try {
    const connection = await tools.connections.load(connectionId);
    const { bytes } = await tools.runClient(connection, (context) => client.fetchMedia(remote, context));
    return { ...media, mediaKey: await mediaStore.store(bytes), size: bytes.length };
  } catch (error) {
    // That it stays away is an expected outcome: that somebody called and spoke is told all the same.
    if (!isHubError(error) || error.code === 'storage.unavailable' || (error.retry !== 'never' && !isLastTry)) throw error;
    return { ...media, unavailable: error.publicMessage.slice(0, 1_024) };
  }
}
