import { z } from 'zod';

/** A time that a caller gives, RFC 3339 in UTC. The year 0 is one of ISO 8601 and none that Postgres knows. */
export const givenInstantSchema = z.iso.datetime().refine((value) => !value.startsWith('0000'), 'use a year from 0001 on');
