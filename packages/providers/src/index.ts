/**
 * The registry: everything the hub must know of an outside system, said once as data. Routes of ingest, credential forms, topics and docs
 * follow from it. Pure: it calls nobody, keeps nothing, and knows no tenant. How a provider speaks in detail is its connector's business.
 */
export type * from './provider.ts';
export { findProvider, providerOfCredentialType, providers } from './registry/find-provider.ts';
export { findGenesysDomain, genesysRegions } from './registry/genesys.ts';
export { serverOf } from './registry/server-of.ts';
export { isVoicemailTranscribed } from './registry/render-voicemail-twiml.ts';
export { twilioChannels, type TwilioChannel } from './registry/twilio.ts';
export type { StoredTwilioWebhook, TwilioWebhookKind } from './registry/split-twilio-webhook.ts';
