import { z } from 'zod';

/** Nothing of its own: addresses and secrets of the kit are all it needs. */
export const config = z.object({});
