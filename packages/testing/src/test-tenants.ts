import { tenantIdSchema } from '@switchboard/contracts';

/** Two tenants: whatever is shown for one is shown to be hidden from the other. */
export const testTenants = [tenantIdSchema.parse('acme'), tenantIdSchema.parse('globex')] as const;
