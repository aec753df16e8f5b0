import type { PublicConnection, Rendered } from '@switchboard/connector-kit';
import type { MessageSend } from '@switchboard/contracts';

/** A message as parameters of Twilio's Messages resource. Pure. */
export function renderMessage(_command: MessageSend, _connection: PublicConnection): Rendered {
  return { kind: 'nothing' };
}
