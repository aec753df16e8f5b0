/** What the stand-in for Twilio keeps. Keys are `<account SID>|<SID>`: see TwilioStore. Times are ISO 8601. */

export type Receipts = 'none' | 'sent' | 'delivered' | 'read';

export type TwilioAccount = {
  readonly sid: string;
  /** Its own SID for a main account. */
  readonly ownerSid: string;
  readonly friendlyName: string;
  readonly status: 'active' | 'suspended' | 'closed';
  /** Signs webhooks. */
  readonly authToken: string;
  readonly secondaryToken: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** How far a message gets by itself. */
  readonly receipts: Receipts;
  /** "HTTP Basic on media" of the account's settings; off as in a new account. */
  readonly mediaAuth: boolean;
  /** Where media are redirected to, with their path and a passing token; null: answered at once. */
  readonly mediaRedirect: string | null;
  /** Puts `OptOutType` into webhooks. */
  readonly advancedOptOut: boolean;
};

export type TwilioKey = { readonly sid: string; readonly accountSid: string; readonly friendlyName: string; readonly secret: string; readonly createdAt: string };

export type HttpMethod = 'GET' | 'POST';

export type TwilioNumber = {
  readonly sid: string;
  readonly accountSid: string;
  readonly phoneNumber: string;
  readonly friendlyName: string;
  readonly country: string;
  readonly capabilities: { readonly voice: boolean; readonly sms: boolean; readonly mms: boolean; readonly fax: boolean };
  readonly createdAt: string;
  readonly updatedAt: string;
  /** By the REST API's name of the field, such as `SmsUrl`; what was never set is not there. */
  readonly settings: Readonly<Record<string, string>>;
};

export type TwilioService = {
  readonly sid: string;
  readonly accountSid: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly settings: Readonly<Record<string, string>>;
  /** SIDs of numbers (PN) and senders (XE), in the order in which they were added. */
  readonly pool: readonly string[];
};

export type SenderStatus = 'CREATING' | 'ONLINE' | 'OFFLINE' | 'PENDING_VERIFICATION' | 'VERIFYING' | 'ONLINE:UPDATING' | 'TWILIO_REVIEW' | 'DRAFT' | 'STUBBED';

export type TwilioSender = {
  readonly sid: string;
  readonly accountSid: string;
  /** `whatsapp:+15005550006` */
  readonly senderId: string;
  readonly status: SenderStatus;
  readonly friendlyName: string | null;
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly webhook: Readonly<Record<string, unknown>>;
  readonly profile: Readonly<Record<string, unknown>>;
};

export type MessageStatus = 'accepted' | 'scheduled' | 'queued' | 'sending' | 'sent' | 'delivered' | 'undelivered' | 'failed' | 'received' | 'read' | 'canceled';

export type TwilioMessage = {
  readonly sid: string;
  readonly accountSid: string;
  readonly direction: 'inbound' | 'outbound-api' | 'outbound-reply';
  readonly from: string;
  readonly to: string;
  readonly body: string;
  readonly status: MessageStatus;
  readonly errorCode: number | null;
  readonly errorMessage: string | null;
  readonly serviceSid: string | null;
  readonly numMedia: number;
  readonly numSegments: number;
  readonly price: string | null;
  readonly statusCallback: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly sentAt: string | null;
  /** All parameters it was created with. */
  readonly parameters: Readonly<Record<string, string | readonly string[]>>;
};

/** Of a message, or of a recording; `parentSid` says of which. */
export type TwilioMedia = { readonly sid: string; readonly accountSid: string; readonly parentSid: string; readonly contentType: string; readonly base64: string; readonly createdAt: string };

export type TwilioCallRow = {
  readonly sid: string;
  readonly accountSid: string;
  readonly numberSid: string | null;
  readonly from: string;
  readonly to: string;
  readonly status: 'ringing' | 'in-progress' | 'completed' | 'busy' | 'failed' | 'no-answer' | 'canceled';
  readonly durationSeconds: number;
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** Verbs of the TwiML answers in the order in which they were carried out. */
  readonly verbs: readonly { readonly verb: string; readonly attributes: Readonly<Record<string, string>>; readonly text: string }[];
  /** What was wrong with an answer: the call ends there. */
  readonly error: string | null;
};

export type TwilioRecording = {
  readonly sid: string;
  readonly accountSid: string;
  readonly callSid: string;
  readonly status: 'completed' | 'absent' | 'failed' | 'deleted';
  readonly durationSeconds: number;
  readonly contentType: string;
  /** Empty: silence is made up when it is fetched. */
  readonly base64: string;
  /** Times that the file is asked for before it is there. */
  readonly missingFetches: number;
  readonly createdAt: string;
};

export type TwilioTranscription = { readonly sid: string; readonly accountSid: string; readonly recordingSid: string; readonly status: 'completed' | 'failed'; readonly text: string; readonly createdAt: string };

export type TwilioContent = {
  readonly sid: string;
  readonly accountSid: string;
  readonly friendlyName: string | null;
  readonly language: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly types: Readonly<Record<string, Record<string, unknown>>>;
  /** Whether WhatsApp lets it out outside the 24 hours. */
  readonly approved: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
};

/** What becomes of the next messages that fit. */
export type TwilioFate = {
  readonly id: string;
  readonly accountSid: string;
  readonly to?: string;
  readonly contains?: string;
  /** Statuses that go out, the last of which stays. */
  readonly statuses: readonly MessageStatus[];
  readonly errorCode?: number;
  /** Callbacks come before the answer to the call that made the message. */
  readonly early: boolean;
  readonly left: number;
};

/** A call that could change something. */
export type TwilioReceived = { readonly at: string; readonly method: string; readonly path: string; readonly by: string; readonly parameters: Readonly<Record<string, unknown>>; readonly status: number };

export type WebhookKind = 'message' | 'status' | 'call' | 'call_action' | 'call_status' | 'recording' | 'transcription';

/** A webhook with the hub's last answer. */
export type TwilioDelivery = {
  readonly at: string;
  readonly kind: WebhookKind;
  readonly method: string;
  readonly url: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** One for each try; null: no answer. */
  readonly attempts: readonly (number | null)[];
  readonly answer: { readonly status: number; readonly contentType: string; readonly body: string } | null;
  /** Why Twilio could not use the answer. */
  readonly error: string | null;
};

export type TwilioTables = {
  twilioAccount: TwilioAccount;
  twilioKey: TwilioKey;
  twilioNumber: TwilioNumber;
  twilioService: TwilioService;
  twilioSender: TwilioSender;
  twilioMessage: TwilioMessage;
  twilioMedia: TwilioMedia;
  twilioCall: TwilioCallRow;
  twilioRecording: TwilioRecording;
  twilioTranscription: TwilioTranscription;
  twilioContent: TwilioContent;
  twilioFate: TwilioFate;
  /** By `<account SID>|<sender>><contact>`. */
  twilioOptOut: { readonly at: string };
  /** When a contact last wrote on WhatsApp, by `<account SID>|<sender>><contact>`. */
  twilioWindow: { readonly at: string };
  twilioReceived: TwilioReceived;
  twilioDelivery: TwilioDelivery;
};
