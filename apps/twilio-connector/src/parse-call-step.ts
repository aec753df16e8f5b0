import type { InboundEvent } from '@switchboard/connector-kit';
import type { CallStepName } from './voicemail-step.ts';
import type { Form } from './wire.ts';

/** A step of a call, with the file of a completed recording. Pure. */
export function parseCallStep(name: CallStepName, form: Form, receivedAt: string): InboundEvent {
  if (!form['CallSid']) return { kind: 'ignored', reason: `${name} without a call` };
  return { kind: 'step', name, facts: form, ...(name === 'recording' ? recordingOf(form) : {}), at: receivedAt };
}

/** Only when it is complete: the action request comes before the file is there. An absent or failed recording has none. */
function recordingOf({ RecordingSid: id, RecordingUrl: url, RecordingStatus: status }: Form): Pick<Extract<InboundEvent, { kind: 'step' }>, 'media' | 'remoteMedia'> {
  if (status !== 'completed' || !id || !url) return {};
  return { media: { mimeType: 'audio/mpeg', fileName: 'voicemail.mp3' }, remoteMedia: { id, url } };
}
