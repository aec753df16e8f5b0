import type { PartMedia } from '@switchboard/connector-kit';
import type { MessageBody } from './part.ts';

/** What a part says, without sender and recipient. */
export type Piece = Omit<MessageBody, 'kind' | 'to' | 'from' | 'messagingServiceSid' | 'ref'> & { readonly media?: PartMedia };

/** What decides the form of a content besides itself. */
export type PieceSetting = { readonly channel: 'whatsapp' | 'sms'; readonly isMmsPossible: boolean };
