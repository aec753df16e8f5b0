import type { ClientContext } from '@switchboard/connector-kit';
import { hubError, isHubError, type ConnectionId } from '@switchboard/contracts';
import type { Twilio } from 'twilio';
import type { ContentDefinition } from './part.ts';

/** Contents that are remembered, of all connections; about 100 bytes each. The least recently asked for goes first. */
const rememberedMax = 20_000;
/** A template that was changed at Twilio has another SID: it is asked for anew after this. */
const templateLifeMs = 10 * 60_000;

/** Content SIDs by what they say, so that a question is made once and a template looked up seldom. Nothing of it is secret. */
export interface Contents {
  /** The SID of a question's content: remembered, else found by its name (made before a restart, or before an answer was lost), else made. */
  sidOfContent(content: ContentDefinition, twilio: Twilio, context: ClientContext): Promise<string>;
  /** The SID of the template of a name in a language. Throws `provider.rejected` where there is none. */
  sidOfTemplate(template: { readonly name: string; readonly language: string }, twilio: Twilio, context: ClientContext): Promise<string>;
  /** After Twilio refused it: it was deleted there. Other connections' are not looked at: what they wait for may take long. */
  forget(sid: string, context: ClientContext): Promise<void>;
}

export function createContents(): Contents {
  const known = new Map<string, { readonly connectionId: ConnectionId; readonly sid: Promise<string>; readonly until: number }>();

  async function remembered(key: string, lifeMs: number, { now, connection: { connectionId } }: ClientContext, load: () => Promise<string>): Promise<string> {
    const found = known.get(key);
    const isFresh = found !== undefined && found.until > now().getTime();
    // Two messages that ask the same at once make one content.
    const entry = isFresh ? found : { connectionId, sid: load(), until: now().getTime() + lifeMs };
    known.delete(key);
    known.set(key, entry);
    for (const oldest of known.keys()) {
      if (known.size <= rememberedMax) break;
      known.delete(oldest);
    }
    try {
      return await entry.sid;
    } catch (error) {
      if (known.get(key) === entry) known.delete(key);
      throw error;
    }
  }

  return {
    sidOfContent(content, twilio, context) {
      const name = content.friendly_name;
      return remembered(keyOf(context, name, ''), Number.MAX_SAFE_INTEGER / 2, context, async () => {
        const [found] = await findByName(name, twilio);
        if (found !== undefined) return found.sid;
        // The cast is safe: the library sends what it gets, in the names of the API, which its type has in camel case.
        const made = await twilio.content.v1.contents.create(content as unknown as Parameters<typeof twilio.content.v1.contents.create>[0]);
        if (!made.sid) throw hubError('provider.unavailable', { publicMessage: 'Twilio did not name the content that it made; it is tried again.' });
        return made.sid;
      });
    },
    sidOfTemplate({ name, language }, twilio, context) {
      return remembered(keyOf(context, name, tagOf(language)), templateLifeMs, context, async () => {
        const named = await findByName(name, twilio);
        const template = named.find((one) => tagOf(one.language) === tagOf(language)) ?? named.find((one) => baseOf(one.language) === baseOf(language));
        if (template !== undefined) return template.sid;
        throw hubError('provider.rejected', { publicMessage: `This Twilio account has no content template "${name}" in the language "${language}". Give its name as in the Content Template Builder, or its SID.`, retry: 'never' });
      });
    },
    async forget(sid, { connection: { connectionId } }) {
      for (const [key, entry] of known) {
        // One that could not be loaded is gone already.
        if (entry.connectionId === connectionId && (await entry.sid.catch(() => undefined)) === sid) known.delete(key);
      }
    },
  };
}

/** JSON: no name can make another one's key. */
function keyOf({ connection }: ClientContext, name: string, language: string): string {
  return JSON.stringify([connection.connectionId, name, language]);
}

type Found = { readonly friendlyName?: string; readonly sid?: string; readonly language?: string };

async function findByName(name: string, twilio: Twilio): Promise<{ readonly sid: string; readonly language: string }[]> {
  try {
    const found = await listNamed(name, twilio);
    return found.flatMap(({ friendlyName, sid, language }) => (friendlyName === name && sid ? [{ sid, language: language ?? '' }] : []));
  } catch (error) {
    if (isHubError(error)) throw error;
    // The library's own complaint about a page that is none.
    throw hubError('provider.unavailable', { publicMessage: 'Twilio\'s list of contents cannot be read; it is tried again.', cause: error });
  }
}

/** `ContentName` is a pattern at Twilio; what it finds is compared whole. */
async function listNamed(name: string, twilio: Twilio): Promise<readonly Found[]> {
  try {
    return await twilio.content.v2.contents.list({ contentName: name.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&'), pageSize: 100, limit: 1000 });
  } catch (error) {
    if (!isHubError(error) || error.code !== 'provider.not_found') throw error;
    // An address that has version 1 alone (a relay, the sandbox): it cannot look for a name.
    return twilio.content.v1.contents.list({ pageSize: 500, limit: 5_000 });
  }
}

/** `en_US` and `en-us` are one language. */
function tagOf(language: string): string {
  return language.replaceAll('_', '-').toLowerCase();
}

function baseOf(language: string): string | undefined {
  return tagOf(language).split('-')[0];
}
