import type { ConnectorHooks, InboundEvent } from '@switchboard/connector-kit';
import { hubError, isMediaContent, type ConnectionWithSecrets, type MessageContent } from '@switchboard/contracts';
import { accountOf, channelOf } from '../account-of.ts';
import type { Origins } from '../origins.ts';
import { senderOf, senderWrittenTo } from '../sender-of.ts';
import type { OptOuts } from '../store/opt-outs.ts';
import { optOutOf } from './opt-out-of.ts';

type InboundMessage = Extract<InboundEvent, { kind: 'message' }>;
type InboundStatus = Extract<InboundEvent, { kind: 'status' }>;

/** Twilio: the recipient has opted out. twilio.com/docs/errors/21610 */
const refusedByOptOut = '21610';

export type OptOutDeps = { readonly optOuts: OptOuts; readonly origins: Origins; readonly now: () => Date };

/** STOP and START in what contacts write, and Twilio's refusals: nothing is sent to who wants nothing. What was written goes on to the conversation all the same. */
export function createOptOutHooks({ optOuts, origins, now }: OptOutDeps): Required<ConnectorHooks> {
  return {
    async beforeSend({ payload: command }, connection) {
      if (await optOuts.isOut({ sender: senderOf(accountOf(connection), command.contact.address), address: command.contact.address })) throw hubError('message.opted_out', { detail: { sent: false } });
      origins.note(connection);
      return { kind: 'send', command };
    },
    async onSettled({ payload: { contact, connectionId } }, _outcome, error) {
      const account = origins.of(connectionId);
      if (error?.providerCode !== refusedByOptOut || account === undefined) return;
      await optOuts.note({ sender: senderOf(account, contact.address), address: contact.address, connectionId, isOut: true, source: refusedByOptOut, at: now() });
    },
    async onInbound(events, { connection }) {
      const left: InboundEvent[] = [];
      for (const event of events) {
        if (event.kind === 'message') left.push(await noteWish(event, connection, optOuts));
        else {
          if (event.kind === 'status') await noteRefusal(event, connection, optOuts);
          left.push(event);
        }
      }
      return left;
    },
  };
}

async function noteWish(event: InboundMessage, connection: ConnectionWithSecrets, optOuts: OptOuts): Promise<InboundMessage> {
  if (event.author !== 'contact') return event;
  const { contact: { address }, attributes = {} } = event;
  const wish = optOutOf(wordsOf(event.content), attributes['optOutType'], channelOf(address) ?? 'sms', { whatsappOptOut: connection.settings['whatsappOptOut'] !== 'false' });
  if (wish === undefined) return event;
  const key = { sender: senderWrittenTo(accountOf(connection), address, attributes), address };
  const isAnswer = wish.onlyWhenOut && !(await optOuts.isOut(key));
  // A "yes" to a bot is kept like any other: it only says that messages are welcome, which they are.
  await optOuts.note({ ...key, connectionId: connection.connectionId, isOut: wish.wish === 'out', source: wish.word, at: new Date(event.sentAt) });
  return isAnswer ? event : { ...event, attributes: { ...attributes, optOut: wish.wish } };
}

/** The button of a template says it as well as a text, or the words beside a picture. */
function wordsOf(content: MessageContent): string {
  if (isMediaContent(content)) return content.media.caption ?? '';
  return content.kind === 'text' ? content.text : content.kind === 'choice_reply' ? content.title : '';
}

async function noteRefusal({ error, contactAddress, at }: InboundStatus, connection: ConnectionWithSecrets, optOuts: OptOuts): Promise<void> {
  if (error?.providerCode !== refusedByOptOut || contactAddress === undefined) return;
  await optOuts.note({ sender: senderOf(accountOf(connection), contactAddress), address: contactAddress, connectionId: connection.connectionId, isOut: true, source: refusedByOptOut, at: new Date(at) });
}
