import type { ConnectorDefinition } from '@switchboard/connector-kit';
import { hubError } from '@switchboard/contracts';

export type ClientDeps = {
  /** Where Twilio reaches ingest, without a slash at the end: status callbacks go there. */
  readonly publicWebhookUrl: string;
};

/** The calls to Twilio's REST API, by its own library; the only I/O of the connector. */
export function createClient(_deps: ClientDeps): ConnectorDefinition['client'] {
  const missing = async (): Promise<never> => {
    throw hubError('provider.rejected');
  };
  return { send: missing, fetchMedia: missing };
}
