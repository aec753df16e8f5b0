-- The system drops the contacts of months whose events have long been summed up.
SELECT switchboard.open_to_system('tenant.usage_contacts', 'switchboard_tenant_system');
