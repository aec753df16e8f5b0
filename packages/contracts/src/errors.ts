/**
 * Every error the hub answers or decides by: status for HTTP, `title` for people, `fix` for the way out. docs/errors.md is generated from it.
 * `retry` is the fate of an event whose consumer fails with it.
 */
export const errorCatalogue = {
  'request.invalid': { status: 400, title: 'Request is not valid', fix: 'Correct the fields listed in "issues".', retry: 'never' },
  'request.not_json': { status: 415, title: 'Body must be JSON', fix: 'Send Content-Type: application/json and a JSON body.', retry: 'never' },
  'request.too_large': { status: 413, title: 'Body is too large', fix: 'Send a smaller body; the limit is in "detail".', retry: 'never' },
  'request.idempotency_conflict': { status: 409, title: 'Idempotency-Key was used for another request', fix: 'Use a new key for a new request.', retry: 'never' },
  'route.not_found': { status: 404, title: 'Not found', fix: 'See the API description for the paths there are.', retry: 'never' },
  'route.method_not_allowed': { status: 405, title: 'Method is not allowed', fix: 'Use one of the methods in the Allow header.', retry: 'never' },
  'auth.missing': { status: 401, title: 'Credentials are missing or wrong', fix: 'Send a valid X-API-Key header (tenants) or Authorization: Bearer <admin key> (platform).', retry: 'never' },
  'auth.scope_missing': { status: 403, title: 'Not allowed with these credentials', fix: 'Use a key that has the scope named in "detail".', retry: 'never' },
  'auth.login_failed': { status: 401, title: 'E-mail address or password is wrong', fix: 'Check tenant, e-mail address and password; an admin of the tenant can make a link to set a new password.', retry: 'never' },
  'auth.session_ended': { status: 401, title: 'The session has ended', fix: 'Log in again.', retry: 'never' },
  'auth.link_invalid': { status: 400, title: 'This link is not valid any more', fix: 'Links work once and for a limited time: ask for another one.', retry: 'never' },
  'auth.factor_failed': { status: 401, title: 'The code is wrong', fix: 'Use the code that the authenticator shows now, each once, or a recovery code that was not used yet.', retry: 'never' },
  'auth.sso_failed': { status: 401, title: 'Single sign-on failed', fix: 'Begin again. If it goes on, an admin of the tenant checks the settings of the identity provider: verified e-mail address, allowed domains, redirect URI.', retry: 'never' },
  'tenant.not_found': { status: 404, title: 'Tenant not found', fix: 'Check the tenant id.', retry: 'never' },
  'tenant.taken': { status: 409, title: 'Tenant id is taken', fix: 'Choose another tenantId.', retry: 'never' },
  'tenant.subdomain_taken': { status: 409, title: 'Subdomain is taken', fix: 'Choose another subdomain.', retry: 'never' },
  'tenant.suspended': { status: 403, title: 'Tenant is suspended', fix: 'Ask the platform to activate the tenant.', retry: 'never' },
  'tenant.deleted': { status: 409, title: 'Tenant is deleted', fix: 'Restore it first with PATCH and status "active"; once its grace time has ended it cannot be restored.', retry: 'never' },
  'tenant.mismatch': { status: 403, title: 'Credentials name different tenants', fix: 'Send one credential, or those of one tenant, to the host of that tenant.', retry: 'never' },
  'tenant.context_missing': { status: 500, title: 'Internal error', fix: 'A defect: work was started outside a tenant. Report it with the request id.', retry: 'never' },
  'connection.not_found': { status: 404, title: 'Connection not found', fix: 'Check the connection id.', retry: 'never' },
  'connection.identifier_taken': { status: 409, title: 'This account is already connected', fix: 'The provider account is connected elsewhere in this installation. Disconnect it there first.', retry: 'never' },
  'connection.type_unknown': { status: 400, title: 'Unknown connection type', fix: 'Use one of the types named in "detail".', retry: 'never' },
  'connection.not_active': { status: 409, title: 'Connection is not active', fix: 'Post working credentials for this connection.', retry: 'never' },
  'platform_connection.not_found': { status: 404, title: 'Account of the platform not found', fix: 'Check the id; GET /platform/connections lists them.', retry: 'never' },
  'platform_connection.in_use': { status: 409, title: 'Tenants have connections in this account', fix: 'Close it with PATCH and "isOpen": false, and move them to another account; GET /platform/connections/:id/inboxes lists them.', retry: 'never' },
  'platform_connection.not_verified': { status: 400, title: 'The provider does not confirm the account', fix: 'See "detail" for what the provider says, and send it again.', retry: 'never' },
  'route.invalid': { status: 400, title: 'Route does not fit the connections', fix: 'A route names one channel connection and at least a bot or a desk of the same tenant.', retry: 'never' },
  'mapping.not_found': { status: 404, title: 'Mapping not found', fix: 'Create it with POST /state/mapping, or check the WhatsApp id.', retry: 'never' },
  'mapping.no_channel': { status: 409, title: 'No WhatsApp connection', fix: 'Connect a WhatsApp number first: POST /tenants/:id/credentials with type "meta".', retry: 'never' },
  'conversation.not_found': { status: 404, title: 'Conversation not found', fix: 'Check the conversation id.', retry: 'never' },
  'lead.not_found': { status: 404, title: 'Lead not found', fix: 'Check the lead id; GET /tenant/leads lists them.', retry: 'never' },
  'message.window_closed': { status: 409, title: 'The reply window is closed', fix: 'More than 24 hours have passed since the contact wrote. Send an approved template, or set one on the route.', retry: 'never' },
  'message.kind_not_sendable': { status: 400, title: 'This kind of message cannot be sent', fix: 'Use a kind of the message vocabulary that can be sent.', retry: 'never' },
  'message.unsupported_content': { status: 422, title: 'The provider cannot carry this message', fix: 'See "detail" for what the provider takes.', retry: 'never' },
  'message.opted_out': { status: 409, title: 'The contact wants no messages', fix: 'The contact has sent STOP to this number. Nothing is sent until the contact sends START.', retry: 'never' },
  'media.not_found': { status: 404, title: 'File not found', fix: 'Media links expire; ask for a new one.', retry: 'never' },
  'media.too_large': { status: 413, title: 'File is too large', fix: 'Send a smaller file; the limit is in "detail".', retry: 'never' },
  'media.unavailable': { status: 502, title: 'File could not be fetched from the provider', fix: 'It is tried again; afterwards the message is kept without its file.', retry: 'later' },
  'webhook.unauthorized': { status: 401, title: 'Signature does not fit', fix: 'Check the secret stored with the connection.', retry: 'never' },
  'webhook.unknown_account': { status: 404, title: 'Not found', fix: 'Nobody has connected this account.', retry: 'never' },
  'webhook.not_found': { status: 404, title: 'Webhook not found', fix: 'Check the webhook id.', retry: 'never' },
  'dead_letter.not_found': { status: 404, title: 'Dead letter not found', fix: 'Check the id; it may have been redriven.', retry: 'never' },
  'limit.rate_exceeded': { status: 429, title: 'Too many requests', fix: 'Wait as long as Retry-After says.', retry: 'later' },
  'limit.monthly_exceeded': { status: 429, title: 'Monthly limit exceeded', fix: 'Wait for the next month, or ask the platform for a larger plan.', retry: 'later' },
  'limit.agents_exceeded': { status: 409, title: 'The plan has no place for another agent', fix: 'Disable a member, or ask the platform for a larger plan.', retry: 'never' },
  'api_key.not_found': { status: 404, title: 'API key not found', fix: 'Check the key id; GET /tenant/keys lists them.', retry: 'never' },
  'api_key.not_active': { status: 409, title: 'API key is not active', fix: 'It is revoked or has expired; make a new one with POST /tenant/keys.', retry: 'never' },
  'api_key.too_many': { status: 409, title: 'Too many active API keys', fix: 'Revoke keys that are not used any more; GET /tenant/keys shows when each was used last.', retry: 'never' },
  'member.not_found': { status: 404, title: 'Member not found', fix: 'Check the member id; GET /tenant/members lists them.', retry: 'never' },
  'member.taken': { status: 409, title: 'This e-mail address has a member already', fix: 'Change the member there is, or invite another address.', retry: 'never' },
  'member.not_invited': { status: 409, title: 'The member has accepted already', fix: 'Make a link to set a new password instead.', retry: 'never' },
  'member.not_active': { status: 409, title: 'The member is not active', fix: 'Enable the member, or invite them again, first.', retry: 'never' },
  'member.last_owner': { status: 409, title: 'The last active owner cannot go', fix: 'Make another member an owner first.', retry: 'never' },
  'member.owners_only': { status: 403, title: 'Only owners may do this', fix: 'Ask an owner of the tenant.', retry: 'never' },
  'staff.not_found': { status: 404, title: 'Staff member not found', fix: 'Check the id; GET /staff lists them.', retry: 'never' },
  'staff.taken': { status: 409, title: 'This e-mail address is on the staff already', fix: 'Change the staff member there is.', retry: 'never' },
  'second_factor.active': { status: 409, title: 'There is a second factor already', fix: 'Disable the present one first.', retry: 'never' },
  'second_factor.not_found': { status: 404, title: 'There is no second factor', fix: 'Enrol one with POST /auth/second-factor.', retry: 'never' },
  'issuer.not_found': { status: 404, title: 'Issuer not found', fix: 'Check the issuer id; GET /tenant/issuers lists them.', retry: 'never' },
  'issuer.taken': { status: 409, title: 'This issuer is trusted already', fix: 'Delete the one there is first.', retry: 'never' },
  'issuer.too_many': { status: 409, title: 'Too many issuers', fix: 'Delete one that is not used any more.', retry: 'never' },
  'sso.not_found': { status: 404, title: 'Single sign-on is not set up', fix: 'Set it up with PUT /tenant/sso.', retry: 'never' },
  'chatbot.not_found': { status: 404, title: 'Chatbot not found', fix: 'Set one up with POST /api/chatbot/tenants.', retry: 'never' },
  'chatbot.taken': { status: 409, title: 'The tenant has a chatbot already', fix: 'Change it with PUT /api/chatbot/tenants/:tenantId/config.', retry: 'never' },
  'chatbot.version_not_found': { status: 404, title: 'Version not found', fix: 'GET /api/chatbot/tenants/:tenantId/config/versions lists the ones that are kept.', retry: 'never' },
  'chatbot.sync_not_found': { status: 404, title: 'Nothing was synchronised yet', fix: 'Begin with POST /api/chatbot/tenants/:tenantId/config/sync.', retry: 'never' },
  'move.not_found': { status: 404, title: 'No move of accounts', fix: 'Begin one with POST /tenants/:id/chatwoot/migrate.', retry: 'never' },
  'move.running': { status: 409, title: 'A move of accounts is under way', fix: 'Wait until it has ended, or roll it back.', retry: 'never' },
  'move.impossible': { status: 409, title: 'These connections cannot be moved', fix: 'Move from a connection in a shared account to one of the same role in an account of the tenant, both with inboxes of type API.', retry: 'never' },
  'move.wrong_phase': { status: 409, title: 'The move is not in a phase for that', fix: 'See its phase with GET /tenants/:id/chatwoot/migrate.', retry: 'never' },
  'egress.refused': { status: 400, title: 'Address is not allowed', fix: 'Use an https address on the public internet, or ask the platform to allow the network.', retry: 'never' },
  'egress.failed': { status: 502, title: 'The other side did not answer', fix: 'It is tried again.', retry: 'later' },
  'provider.unauthorized': { status: 502, title: 'The provider refuses the credentials', fix: 'Post new credentials for this connection.', retry: 'never' },
  'provider.forbidden': { status: 502, title: 'The provider refuses the permission', fix: 'Grant the permission named in "detail" at the provider.', retry: 'never' },
  'provider.throttled': { status: 503, title: 'The provider is throttling', fix: 'It is tried again when the provider allows.', retry: 'later' },
  'provider.unavailable': { status: 502, title: 'The provider is not available', fix: 'It is tried again.', retry: 'later' },
  'provider.rejected': { status: 422, title: 'The provider rejected the message', fix: 'See "detail" for the provider\'s reason.', retry: 'never' },
  'provider.not_found': { status: 502, title: 'The account is unknown at the provider', fix: 'Check the identifiers of this connection.', retry: 'never' },
  'delivery.outcome_unknown': { status: 502, title: 'Outcome of the delivery is unknown', fix: 'The provider may or may not have the message; a status webhook settles it. It is not sent again by itself.', retry: 'never' },
  'delivery.given_up': { status: 502, title: 'Delivery was given up', fix: 'The provider could not be reached for hours. The command is a dead letter: redrive it, or send the message again.', retry: 'never' },
  'secret.unreadable': { status: 500, title: 'Internal error', fix: 'A stored secret cannot be opened: wrong key-encryption key, or the row was changed. See the runbook on secrets.', retry: 'never' },
  'secret.provider_unavailable': { status: 503, title: 'The key provider is not available', fix: 'Send the request again after Retry-After. For the platform: see the runbook on rotating keys.', retry: 'later' },
  'storage.unavailable': { status: 503, title: 'Storage is not available', fix: 'Send the request again after Retry-After.', retry: 'later' },
  'service.unavailable': { status: 503, title: 'Service is not available', fix: 'Send the request again after Retry-After.', retry: 'later' },
  'service.broke_off': { status: 502, title: 'Service broke off its answer', fix: 'Look whether the request was carried out, then send it again.', retry: 'later' },
  'service.timeout': { status: 504, title: 'Service did not answer in time', fix: 'Send the request again.', retry: 'later' },
  'internal': { status: 500, title: 'Internal error', fix: 'Report it with the request id.', retry: 'never' },
} as const satisfies Record<string, { status: number; title: string; fix: string; retry: 'never' | 'later' }>;

export type ErrorCode = keyof typeof errorCatalogue;

/**
 * What becomes of the work that failed: never again, later with back-off, or not before so many milliseconds. `counted: false` says that the
 * wait is not the work's own failure (a throttle, refused credentials that somebody must replace): it uses up no attempt, the event's age bounds it.
 * `planned`: nothing failed, the work is only not due yet; nobody need read of it.
 */
export type Retry = 'never' | 'later' | { readonly afterMs: number; readonly counted?: false; readonly planned?: true };

export type HubErrorOptions = {
  /** Leaves the house: shown to callers. Say what is wrong and the way out; no other tenant's facts, no secrets. */
  readonly publicMessage?: string;
  /** Stays in the house: logged, never answered. */
  readonly detail?: Readonly<Record<string, unknown>>;
  /** Leaves the house: which fields are wrong. */
  readonly issues?: readonly { readonly path: string; readonly message: string }[];
  /** Leaves the house: when a limit begins anew. */
  readonly resetsAt?: Date;
  readonly retry?: Retry;
  readonly cause?: unknown;
};

/** The one error class. Its code decides HTTP status, public title and the fate of the event that was being consumed. */
export class HubError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly retry: Retry;
  readonly publicMessage: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly issues: HubErrorOptions['issues'];
  readonly resetsAt: Date | undefined;

  constructor(code: ErrorCode, options: HubErrorOptions = {}) {
    const entry = errorCatalogue[code];
    super(options.publicMessage ?? entry.title, { cause: options.cause });
    this.name = 'HubError';
    this.code = code;
    this.status = entry.status;
    this.retry = options.retry ?? entry.retry;
    this.publicMessage = options.publicMessage ?? entry.fix;
    this.detail = options.detail ?? {};
    this.issues = options.issues;
    this.resetsAt = options.resetsAt;
  }
}

export function hubError(code: ErrorCode, options?: HubErrorOptions): HubError {
  return new HubError(code, options);
}

export function isHubError(error: unknown): error is HubError {
  return error instanceof HubError;
}
