import type { TwilioUsageKind } from '@switchboard/contracts';

/** One thing that Twilio bills, as the hub saw it. */
export type UsageItem = {
  /** SID of an inbound message, call, recording or transcription; `<message id>.<part>` of what was sent. */
  readonly itemId: string;
  readonly kind: TwilioUsageKind;
  /** Segments of an SMS, begun minutes of a call or a recording, else 1. */
  readonly units: number;
  readonly at: Date;
  /** Of what was sent: its SID. */
  readonly sid?: string;
  /** Of what was sent, while its outcome is not known: when Twilio is asked. */
  readonly lookAt?: Date;
};
