import type { Database } from '@switchboard/db';
import type { PrismaClient } from './generated/client.ts';

export type AuthDatabase = Database<PrismaClient>;
