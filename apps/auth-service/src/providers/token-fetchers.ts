import type { ConnectionWithSecrets, ProviderId } from '@switchboard/contracts';
import type { Egress } from '@switchboard/service-kit';
import type { FetchedToken } from '../domain/create-provider-tokens.ts';
import { fetchGenesysToken } from './fetch-genesys-token.ts';

type FetchToken = (connection: ConnectionWithSecrets, egress: Egress) => Promise<FetchedToken>;

/** Providers whose API wants an access token that is fetched with the connection's credentials. */
export const tokenFetchers: Partial<Record<ProviderId, FetchToken>> = { genesys: fetchGenesysToken };
