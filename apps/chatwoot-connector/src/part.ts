import type { RenderedPart } from '@switchboard/connector-kit';
import type { MessageSend } from '@switchboard/contracts';
import { z } from 'zod';
import { conversationStatuses } from './api/conversations.ts';

/** What a part does at Chatwoot, and with what. Plain JSON: it is stored with the claim, and read again from there. */

const contact = z.object({ address: z.string().min(1), name: z.string().optional(), phone: z.string().optional() });
/** The contact whose conversation it is. */
export type PartContact = z.infer<typeof contact>;

const message = z.object({
  content: z.string(),
  messageType: z.enum(['incoming', 'outgoing']),
  isPrivate: z.boolean().optional(),
  contentType: z.enum(['text', 'input_select']).optional(),
  contentAttributes: z.looseObject({ hub_ref: z.string(), in_reply_to: z.number().optional(), items: z.array(z.object({ title: z.string(), value: z.string() })).optional() }),
  sourceId: z.string().optional(),
});
export type Message = z.infer<typeof message>;

const asBot = z.boolean();

/** By the part's path. */
const actions = {
  message: z.object({ contact, asBot, message }),
  labels: z.object({ contact, labels: z.array(z.string()) }),
  attributes: z.object({ contact, attributes: z.record(z.string(), z.string()) }),
  status: z.object({ contact, asBot, status: z.enum(conversationStatuses) }),
  assignment: z.object({ contact, agentId: z.string() }),
  typing: z.object({ contact, asBot, on: z.boolean() }),
  'contact-typing': z.object({ contact, on: z.boolean() }),
  receipt: z.object({ contact, messageId: z.number(), status: z.enum(['delivered', 'read', 'failed']), externalError: z.string().optional() }),
} as const;

type Actions = { readonly [A in keyof typeof actions]: z.infer<(typeof actions)[A]> };
export type ActionName = keyof Actions;
export type Action = { readonly [A in ActionName]: { readonly name: A } & Actions[A] }[ActionName];
export type ChatwootPart = RenderedPart & { readonly path: ActionName };

export function actionPart<A extends ActionName>(path: A, command: Pick<MessageSend, 'contact'>, body: Omit<Actions[A], 'contact'>): ChatwootPart {
  return { path, body: { contact: contactOf(command), ...body } };
}

/** Throws on a part that was stored in a form of before. */
export function readPart({ path, body }: RenderedPart): Action {
  const name = (path ?? 'message') as ActionName; // parsed by the schema of that name in the next line, which throws when there is none
  return { name, ...actions[name].parse(body) } as Action; // of the schema of its name
}

/** A number of full length is worth a contact's `phone_number`: 7 to 15 digits, as WhatsApp, Twilio and phones have them (E.164). */
const phoneNumber = /^\+?[1-9]\d{6,14}$/;

function contactOf({ contact: { address, name, aliases } }: Pick<MessageSend, 'contact'>): PartContact {
  // Twilio writes a number on WhatsApp with the channel in front.
  const phone = [aliases['phone'], aliases['waId'], address].map((value) => value?.replace(/^whatsapp:/, '')).find((value) => value !== undefined && phoneNumber.test(value));
  return { address, ...(name === undefined || name.trim() === '' ? {} : { name }), ...(phone === undefined ? {} : { phone: `+${phone.replace(/^\+/, '')}` }) };
}
