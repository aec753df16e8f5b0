import type { Answer, Exchange, SandboxRoute } from '../exchange.ts';
import type { TwilioAccount } from '../twilio/rows.ts';
import { TwilioStore } from '../twilio/twilio-store.ts';
import type { TwilioControl } from './twilio-control.ts';
import { unknown } from './with-body.ts';

/** All that is to be seen, without tokens and secrets. */
export function twilioViews({ state }: TwilioControl): SandboxRoute[] {
  const store = new TwilioStore(state);

  const view = (path: string, show: (account: TwilioAccount, exchange: Exchange) => unknown): SandboxRoute => ({
    method: 'GET',
    path: `/sandbox/twilio/accounts/:account${path}`,
    handle: (exchange): Answer => {
      const account = store.account(exchange.match[0] ?? '');
      return account === undefined ? unknown('account') : { status: 200, json: show(account, exchange) };
    },
  });

  return [
    view('', ({ sid, ownerSid, friendlyName, status, receipts, mediaAuth, mediaRedirect, advancedOptOut, secondaryToken }) => ({
      accountSid: sid,
      ownerAccountSid: ownerSid,
      friendlyName,
      status,
      receipts,
      mediaAuth,
      mediaRedirect,
      advancedOptOut,
      hasSecondaryToken: secondaryToken !== null,
      numbers: store.list('twilioNumber', sid),
      services: store.list('twilioService', sid),
      senders: store.list('twilioSender', sid),
      contents: store.list('twilioContent', sid),
      keys: store.list('twilioKey', sid).map((key) => ({ sid: key.sid, friendlyName: key.friendlyName })),
      subaccounts: store.accounts().filter((one) => one.ownerSid === sid && one.sid !== sid).map((one) => ({ accountSid: one.sid, friendlyName: one.friendlyName, status: one.status })),
    })),
    view('/messages', ({ sid }, { url }) => {
      const [direction, to, from] = [url.searchParams.get('direction'), url.searchParams.get('to'), url.searchParams.get('from')];
      const found = store.list('twilioMessage', sid).filter((one) => (direction === null || one.direction === direction) && (to === null || one.to === to) && (from === null || one.from === from));
      return { data: found };
    }),
    view('/received', ({ sid }) => ({ data: state.list('twilioReceived', sid) })),
    view('/deliveries', ({ sid }, { url }) => {
      const kind = url.searchParams.get('kind');
      return { data: state.list('twilioDelivery', sid).filter((one) => kind === null || one.kind === kind) };
    }),
    view('/calls', ({ sid }) => ({ data: store.list('twilioCall', sid), recordings: store.list('twilioRecording', sid).map(({ base64, ...recording }) => ({ ...recording, size: Buffer.from(base64, 'base64').length })) })),
  ];
}
