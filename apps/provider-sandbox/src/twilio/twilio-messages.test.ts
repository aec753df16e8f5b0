import { beforeEach, describe, expect, it } from '@jest/globals';
import { officialClient, twilioRoom, type TwilioRoom } from '../../test/twilio-room.ts';
import { sandboxWorld, type SandboxWorld } from '../../test/sandbox-world.ts';

const contact = '+15550001111';
const callback = 'https://hub.test/webhooks/twilio/con_1/status?account=x&m=msg_1#rc=3&rp=all';

describe('messages at the stand-in for Twilio', () => {
  let world: SandboxWorld;
  let acme: TwilioRoom;

  beforeEach(async () => {
    world = sandboxWorld();
    acme = await twilioRoom(world);
  });

  it('go through the official client, and their callbacks come in time, signed, with the query and without the fragment', async () => {
    const { client } = officialClient(world, [acme.accountSid, acme.authToken]);
    const message = await client.messages.create({ to: contact, from: acme.phoneNumber, body: 'Hi', statusCallback: callback });
    expect(message).toMatchObject({ status: 'queued', numSegments: '1', price: null, direction: 'outbound-api', accountSid: acme.accountSid });
    await world.life.settled();
    const forms = world.sender.sent.map(({ body }) => Object.fromEntries(new URLSearchParams(body)));
    expect(forms.map((form) => form['MessageStatus'])).toEqual(['queued', 'sent', 'delivered']);
    expect(forms[2]).toMatchObject({ MessageSid: message.sid, SmsStatus: 'delivered', AccountSid: acme.accountSid, From: acme.phoneNumber, To: contact, RawDlrDoneDate: '2611210900' });
    expect(world.sender.sent[0]).toMatchObject({ url: 'https://hub.test/webhooks/twilio/con_1/status?account=x&m=msg_1', proof: { secret: acme.authToken } });
    expect(await client.messages(message.sid).fetch()).toMatchObject({ status: 'delivered', price: '-0.00790' });
  });
});
