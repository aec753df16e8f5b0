import { z } from 'zod';
import { connectionIdSchema, tenantIdSchema } from '../ids.ts';
import { pageOf, pageQuerySchema } from './paging.ts';
import { defineRouteContract } from './route-contract.ts';

/** What twilio-connector tells of a tenant's subaccounts: what Twilio bills beside what the hub counted, and who wants no messages. */

const params = z.object({ tenantId: tenantIdSchema });
const count = z.number().int().nonnegative();

/** What is counted, in the hub's words; each is one or several of Twilio's usage categories. */
export const twilioUsageKinds = ['sms_inbound', 'sms_outbound', 'mms_inbound', 'mms_outbound', 'whatsapp_inbound', 'whatsapp_outbound', 'calls_inbound', 'recordings', 'transcriptions'] as const;
export type TwilioUsageKind = (typeof twilioUsageKinds)[number];

const usageLineSchema = z.object({
  kind: z.enum(twilioUsageKinds),
  /** As the hub counted them: things (messages, calls, recordings), and what Twilio bills of them: segments of an SMS, begun minutes of a call. */
  ours: z.object({ count, units: count }),
  /** As Twilio's usage records say; `price` in `currency`, as Twilio writes it. Fees of Meta for WhatsApp templates are in `totalPrice` alone. */
  twilio: z.object({ count, units: count, price: z.string() }),
  /** `twilio.count` less `ours.count`: what went past the hub, or has not been counted yet. 0 while Twilio's side is missing. */
  difference: z.number().int(),
});

export const getTwilioUsage = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId/twilio/usage',
  summary: 'What a tenant used in each of its Twilio subaccounts: Twilio\'s usage records, asked now, beside the hub\'s own counts, with the difference. Days are Twilio\'s: in GMT',
  auth: 'admin',
  self: { scopes: ['tenant:read'] },
  params,
  query: z.object({
    /** `YYYY-MM-DD` in GMT, both included; this month so far when left out. At most 400 days. */
    from: z.iso.date().optional(),
    to: z.iso.date().optional(),
  }),
  reply: {
    status: 200,
    schema: z.object({
      from: z.iso.date(),
      to: z.iso.date(),
      subaccounts: z.array(
        z.object({
          accountSid: z.string(),
          /** The tenant's connections in it. */
          connectionIds: z.array(connectionIdSchema),
          currency: z.string().nullable(),
          /** Of everything that Twilio billed in the time, also what is not counted here. */
          totalPrice: z.string().nullable(),
          lines: z.array(usageLineSchema),
          /** Why Twilio's side is missing: its numbers are zeros then. */
          error: z.string().nullable(),
        }),
      ),
    }),
  },
});
export type TwilioUsage = z.infer<typeof getTwilioUsage.reply.schema>;

const optOutSchema = z.object({
  connectionId: connectionIdSchema,
  /** The tenant's number, or messaging service, that the contact has written to. */
  sender: z.string(),
  /** The contact, as the conversation has it: `+1…` or `whatsapp:+1…`. */
  address: z.string(),
  /** What told it: the word the contact sent, or Twilio's refusal (21610). */
  source: z.string(),
  at: z.iso.datetime(),
});
export type TwilioOptOut = z.infer<typeof optOutSchema>;

export const listTwilioOptOuts = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId/twilio/opt-outs',
  summary: 'Contacts that want no messages from a number of the tenant (STOP), newest first',
  auth: 'admin',
  self: { scopes: ['state:read'] },
  params,
  query: pageQuerySchema.extend({ connectionId: connectionIdSchema.optional() }),
  reply: { status: 200, schema: pageOf(optOutSchema) },
});
