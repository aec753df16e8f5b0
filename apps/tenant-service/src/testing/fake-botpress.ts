import jwt from 'jsonwebtoken';
import { listen, type Answer, type FakeProvider } from './fake-providers.ts';

/** Botpress as far as connecting uses it: the Chat API of some webhook ids, and the login of a v12 server. */
export type FakeBotpress = FakeProvider & { readonly encryptionKey: string; readonly password: string };

export async function startFakeBotpress(webhookIds: readonly string[]): Promise<FakeBotpress> {
  const state = { encryptionKey: 'the-key-of-the-chat-integration', password: 'the-password-of-the-hub' };
  const fake = await listen((call): Answer => {
    if (call.path === '/api/v1/auth/login/basic/default') {
      const { password } = JSON.parse(call.body) as { password?: string };
      return password === state.password ? { status: 200, json: { status: 'success', payload: { jwt: 'a.b.c', exp: 3_600_000 } } } : { status: 401, json: { statusCode: 401, message: 'Invalid credentials' } };
    }
    const [, webhookId = ''] = /^\/([\w-]+)\/users\/get-or-create$/.exec(call.path) ?? [];
    // Botpress says so with status 200.
    if (!webhookIds.includes(webhookId)) return { status: 200, json: { id: 'err_1', code: 404, type: 'ResourceNotFound', message: 'Integration not found' } };
    try {
      return { status: 200, json: { user: { id: (jwt.verify(String(call.headers['x-user-key']), state.encryptionKey) as { id: string }).id } } };
    } catch {
      return { status: 401, json: { id: 'err_2', code: 401, type: 'Unauthorized', message: 'Invalid user key' } };
    }
  });
  return Object.assign(state, fake);
}
