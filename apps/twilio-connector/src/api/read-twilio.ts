import type { ClientContext } from '@switchboard/connector-kit';
import { hubError, isHubError } from '@switchboard/contracts';
import { openTwilio } from '../client-library.ts';

type Library = Awaited<ReturnType<typeof openTwilio>>;

/** Reads from Twilio's REST API with a connection's own credentials. Throws HubErrors that say their fate, also for an answer that the library cannot read. */
export async function readTwilio<T>(context: ClientContext, read: (twilio: Library) => Promise<T>): Promise<T> {
  const twilio = await openTwilio(context);
  try {
    return await read(twilio);
  } catch (error) {
    if (isHubError(error)) throw error;
    throw hubError('provider.unavailable', { publicMessage: 'Twilio answered in a form that is not its own; is the address that of Twilio\'s API?', cause: error });
  }
}
