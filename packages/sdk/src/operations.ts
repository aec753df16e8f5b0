import type * as contracts from '@switchboard/contracts';
import { gatewayRoutes, type RouteContract } from '@switchboard/contracts';

/** Every route of the gateway that a tenant's machines and people call, by the name of its contract; a test compares it with the gateway's own table. */
export const operationNames = [
  'getTenant', 'updateTenant', 'getUsage', 'listAudit', 'exportAudit', 'verifyAudit',
  'listConversations', 'getConversation', 'listMessages', 'sendMessage', 'createMapping', 'getMapping', 'getStats',
  'listLeads', 'createLead', 'getLead', 'updateLead', 'exportLeads',
  'createApiKey', 'listApiKeys', 'getApiKey', 'rotateApiKey', 'revokeApiKey',
  'postCredentials', 'listConnections', 'getConnection', 'updateConnection', 'rotateCredentials', 'endPreviousSecrets', 'testConnection', 'deleteConnection', 'getRoutes', 'putRoutes',
  'listChatwootConversations', 'getTwilioUsage', 'listTwilioOptOuts',
  'startChatwootMove', 'getChatwootMove', 'pauseChatwootMove', 'resumeChatwootMove', 'rollBackChatwootMove', 'retireChatwootMove',
  'inviteMember', 'listMembers', 'getMember', 'updateMember', 'deleteMember', 'renewInvitation', 'createPasswordReset', 'resetMemberSecondFactor',
  'getSso', 'putSso', 'deleteSso', 'createIssuer', 'listIssuers', 'updateIssuer', 'deleteIssuer',
  'listWebhooks', 'replayWebhooks', 'listDeadLetters', 'getDeadLetter', 'redriveDeadLetters',
  'createChatbot', 'getChatbot', 'postChatbot', 'putChatbot', 'replaceKnowledgeBase', 'startChatbotSync', 'getChatbotSync', 'listChatbotVersions', 'restoreChatbotVersion', 'listBookings',
  'login', 'loginWithSecondFactor', 'exchangeSso', 'refreshSession', 'logout', 'acceptInvitation', 'requestPasswordReset', 'resetPassword', 'getJwks',
  'getMe', 'changePassword', 'endMySessions', 'getSecondFactor', 'enrolSecondFactor', 'confirmSecondFactor', 'renewRecoveryCodes', 'disableSecondFactor',
] as const;

/** Routes that each service has for itself: at the gateway their path names the service. */
type OfService = 'listDeadLetters' | 'getDeadLetter' | 'redriveDeadLetters';

/** Routes that the platform has too, at the same path: a tenant names itself in it. */
type OfBoth = 'getChatbot' | 'postChatbot' | 'putChatbot' | 'replaceKnowledgeBase' | 'startChatbotSync' | 'getChatbotSync' | 'listChatbotVersions' | 'restoreChatbotVersion' | 'listBookings';

type Named = (typeof operationNames)[number];

/** The contracts with their types; `service` joins the params where the gateway's path has it. */
export type Operations = { readonly [Name in Named]: (typeof contracts)[Name] } & { readonly [Name in OfService]: { readonly inService: true } } & { readonly [Name in OfBoth]: { readonly namesTenant: true } };

/** A route as the gateway has it, in the form that a tenant calls. */
export function routeOf(name: Named): RouteContract {
  const route = gatewayRoutes.find((entry) => entry.name === `${name}Own`) ?? gatewayRoutes.find((entry) => entry.name === name);
  if (route === undefined) throw new TypeError(`the gateway has no route ${name}`);
  return route.contract;
}
