import type { Database } from '@switchboard/db';
import type { PrismaClient } from './generated/client.ts';

export type BotpressDatabase = Database<PrismaClient>;
