import type { MessageContent } from '@switchboard/contracts';
import { readObject, type Form } from './wire.ts';

/** The answer to buttons, to a list, or to a form; undefined when the message is none. Pure. */
export function parseReply(form: Form): MessageContent | undefined {
  const { Body: body, ButtonText: buttonText, ButtonPayload: buttonPayload, ListId: listId, ListTitle: listTitle, ListDescription: description } = form;
  if (buttonPayload || buttonText) return { kind: 'choice_reply', optionId: buttonPayload || buttonText || '', title: buttonText || body || buttonPayload || '' };
  // The row of a list picker, as it is reported to come; Twilio's list of parameters does not have it.
  if (listId) return { kind: 'choice_reply', optionId: listId, title: listTitle || body || listId, ...(description ? { description: description.slice(0, 1024) } : {}) };
  const flow = readObject(form['FlowData']);
  if (flow !== undefined) return { kind: 'form_reply', title: body || 'Form', fields: flow };
  const interactive = readObject(form['InteractiveData']);
  return interactive === undefined ? undefined : (rowOf(interactive) ?? { kind: 'form_reply', title: body || 'Form', fields: interactive });
}

/** WhatsApp's own form of the answer to buttons or a list. */
function rowOf(interactive: Readonly<Record<string, unknown>>): MessageContent | undefined {
  const reply = interactive['list_reply'] ?? interactive['button_reply'];
  if (typeof reply !== 'object' || reply === null || !('id' in reply) || typeof reply.id !== 'string') return undefined;
  return { kind: 'choice_reply', optionId: reply.id, title: 'title' in reply && typeof reply.title === 'string' ? reply.title : reply.id };
}
