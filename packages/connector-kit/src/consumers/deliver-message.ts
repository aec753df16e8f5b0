import { hubError, isHubError, type ConnectionWithSecrets, type DeliveryError, type Envelope, type HubError, type MessageSend } from '@switchboard/contracts';
import type { ClientErrorDetail, ConnectorDefinition, Delivered, RenderedPart, SendEvent, SendPlan } from '../port.ts';
import type { DeliveryPart } from '../store/deliveries.ts';
import type { ConnectorDeps } from './connector-deps.ts';
import { holdAccount } from './hold-account.ts';
import { noteError, noteSuccess } from './note-health.ts';
import { holdBack, waitForTurn } from './wait-for-turn.ts';

/** What became of a message. `part` is the one whose row is still to be settled, with the event's inbox record. */
export type DeliveryOutcome =
  | { readonly kind: 'nothing' }
  /** `delivered` is what the provider said of that part; `message` stands for the whole message: its first part. */
  | { readonly kind: 'sent'; readonly part?: number; readonly delivered: Delivered; readonly message: Delivered; /** Absent where nothing was sent to it. */ readonly connection?: ConnectionWithSecrets }
  | { readonly kind: 'failed'; readonly part?: number; readonly state: 'failed' | 'unknown'; readonly error: DeliveryError };

type Failed = Extract<DeliveryOutcome, { kind: 'failed' }>;

/**
 * Renders and delivers one message, part by part. Each part is claimed before its call, with what will be sent, so that a crash is found
 * afterwards: a claimed part without an outcome is sent again only where the provider takes our id as a key.
 * Throws what says "later"; everything that will not get better by waiting is an outcome.
 */
export async function deliverMessage(event: Envelope & { readonly payload: MessageSend }, definition: ConnectorDefinition, deps: ConnectorDeps): Promise<DeliveryOutcome> {
  const command = event.payload;
  const connection = await loadConnection(command, deps);
  if (connection.kind === 'failed') return afterRefusal(connection, command, definition, deps);
  const plan = await planOf(event, connection.value, deps);
  if (plan.kind === 'failed') return afterRefusal(plan, command, definition, deps);
  if (plan.kind === 'answered') return { kind: 'sent', delivered: {}, message: {} };
  const rendered = definition.renderMessage(plan.command, connection.value);
  if (rendered.kind === 'nothing') return { kind: 'nothing' };
  if (rendered.kind === 'impossible') return afterRefusal({ kind: 'failed', state: 'failed', error: rendered.error }, command, definition, deps);
  if (rendered.parts.length === 0) return { kind: 'failed', state: 'failed', error: { code: 'message.unsupported_content', message: 'The message is empty: it has nothing but white space.' } };

  await waitForTurn(command, connection.value, deps);
  const { isNew, parts } = await deps.db.transaction(() => deps.deliveries.plan({ ...command, parts: rendered.parts }));
  return deliverParts({ event, command, connection: connection.value, parts, isNew, definition, deps });
}

/** What the connector's own hook refuses for good is an outcome, as what its client refuses. */
async function planOf(event: SendEvent, connection: ConnectionWithSecrets, { hooks }: ConnectorDeps): Promise<SendPlan | Failed> {
  try {
    return (await hooks.beforeSend?.(event, connection)) ?? { kind: 'send', command: event.payload };
  } catch (error) {
    if (!isHubError(error) || error.retry !== 'never') throw error;
    return { kind: 'failed', state: 'failed', error: deliveryErrorOf(error) };
  }
}

/** Nothing more is sent. What an earlier try had begun may have arrived all the same, which the refusal would deny (its contact has answered it with STOP). */
async function afterRefusal(refusal: Failed, command: MessageSend, { sendIsIdempotent }: ConnectorDefinition, { db, deliveries }: ConnectorDeps): Promise<Failed> {
  const parts = await db.transaction(() => deliveries.find(command));
  // Where it is the connection's to say, the connection may be gone: nobody knows then.
  const begun = sendIsIdempotent === true ? undefined : parts.find(({ state }) => state === 'claimed' || state === 'unknown');
  if (begun !== undefined) return outcomeUnknown(begun.part);
  return { ...refusal, error: explainPartly(refusal.error, parts.filter(({ state }) => state === 'sent').length, parts.length) };
}

type Delivery = {
  readonly event: Envelope;
  readonly command: MessageSend;
  readonly connection: ConnectionWithSecrets;
  readonly parts: readonly DeliveryPart[];
  readonly isNew: boolean;
  readonly definition: ConnectorDefinition;
  readonly deps: ConnectorDeps;
};

async function deliverParts(delivery: Delivery): Promise<DeliveryOutcome> {
  const { command, connection, parts, isNew, definition, deps } = delivery;
  let message: Delivered | undefined;
  // The first part's turn was taken, and a new message's first part was claimed, before this.
  let hasTurn = true;
  for (const { part, state, request, ...sent } of parts) {
    if (state === 'sent') {
      message ??= sent;
      continue;
    }
    if (state === 'unknown' || (state === 'claimed' && !isNew && !isIdempotent(definition, connection))) return outcomeUnknown(part);
    if (!hasTurn) await waitForTurn(command, connection, deps);
    hasTurn = false;
    if (state === 'planned' && !(await deps.db.transaction(() => deps.deliveries.claim(command, part)))) throw claimedElsewhere();

    const result = await sendPart(request, part, delivery);
    if (result.kind === 'failed') return { ...result, error: explainPartly(result.error, part, parts.length) };
    message ??= result.delivered;
    if (part === parts.length - 1) return { kind: 'sent', part, delivered: result.delivered, message, connection };
    await deps.db.transaction(() => deps.deliveries.settleSent(command, part, result.delivered));
  }
  return { kind: 'sent', delivered: message ?? {}, message: message ?? {} };
}

async function sendPart(request: RenderedPart, part: number, delivery: Delivery): Promise<{ readonly kind: 'delivered'; readonly delivered: Delivered } | Failed> {
  const { event, command, connection, definition, deps } = delivery;
  try {
    const delivered = await callClient(request, delivery);
    noteSuccess(delivery.connection, deps);
    return { kind: 'delivered', delivered };
  } catch (error) {
    // Here an error's fate becomes a delivery's outcome; a foreign error is a bug and goes on to the dead letters.
    if (!isHubError(error)) throw error;
    noteError(delivery.connection, error, deps);
    holdBack(error, command, deps);
    // The cast is safe: every field of the detail is optional and only compared.
    const { sent } = error.detail as ClientErrorDetail;
    if (sent === true && !isIdempotent(definition, connection)) return outcomeUnknown(part, error);
    const hold = holdAccount(error, event, deps);
    if (hold === undefined && error.retry === 'never') return { kind: 'failed', part, state: 'failed', error: deliveryErrorOf(error) };
    if (!isIdempotent(definition, connection)) await deps.db.transaction(() => deps.deliveries.release(command, part));
    throw hold ?? error;
  }
}

function isIdempotent({ sendIsIdempotent }: ConnectorDefinition, connection: ConnectionWithSecrets): boolean {
  return typeof sendIsIdempotent === 'boolean' ? sendIsIdempotent : sendIsIdempotent(connection);
}

/** Credentials may have been replaced within the minute that they are kept: refused ones are loaded again once. */
async function callClient(request: RenderedPart, { connection, definition, deps }: Delivery): Promise<Delivered> {
  try {
    return await deps.runClient(connection, (context) => definition.client.send(request, context));
  } catch (error) {
    if (!isHubError(error) || error.code !== 'provider.unauthorized' || error.detail['sent'] === true) throw error;
    deps.connections.drop(connection.connectionId);
    const current = await deps.connections.load(connection.connectionId);
    if (current.version === connection.version) throw error;
    return deps.runClient(current, (context) => definition.client.send(request, context));
  }
}

async function loadConnection(command: MessageSend, deps: ConnectorDeps): Promise<{ readonly kind: 'loaded'; readonly value: ConnectionWithSecrets } | Failed> {
  try {
    const value = await deps.connections.load(command.connectionId);
    if (value.status !== 'active') throw hubError('connection.not_active');
    return { kind: 'loaded', value };
  } catch (error) {
    if (!isHubError(error) || error.retry !== 'never') throw error;
    return { kind: 'failed', state: 'failed', error: deliveryErrorOf(error) };
  }
}

export function deliveryErrorOf(error: HubError): DeliveryError {
  const { providerCode } = error.detail as ClientErrorDetail;
  return { code: error.code, message: error.publicMessage, ...(providerCode === undefined ? {} : { providerCode }) };
}

function outcomeUnknown(part: number, cause?: HubError): Failed {
  return { kind: 'failed', part, state: 'unknown', error: deliveryErrorOf(hubError('delivery.outcome_unknown', { cause, detail: cause?.detail })) };
}

/** Two processes have the event, as after a partition moved while the first one was busy: this one comes again and finds what became of it. */
function claimedElsewhere(): HubError {
  return hubError('service.unavailable', { publicMessage: 'Another process is sending this message.', retry: { afterMs: 5_000, counted: false } });
}

function explainPartly(error: DeliveryError, part: number, parts: number): DeliveryError {
  return part === 0 ? error : { ...error, message: `The first ${part} of ${parts} parts were sent, then: ${error.message}` };
}
