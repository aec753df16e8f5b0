import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describeContent, type MessageContent, type MessageView } from '../packages/contracts/src/index.ts';
import { ask, call, DemoFailure, eventually, type Addresses } from './demo/hub.ts';
import { onboard, type DemoTenant } from './demo/onboard.ts';
import { Notebook } from './demo/notebook.ts';
import { sideBySide, table } from './demo/print.ts';
import { showChatbot } from './demo/show-chatbot.ts';
import { showChatwoot } from './demo/show-chatwoot.ts';
import { showTwilio } from './demo/show-twilio.ts';

const home = resolve(process.env['SWITCHBOARD_HOME'] ?? '.switchboard');
const port = (name: string, fallback: number) => process.env[`${name}_PORT`] ?? String(fallback);
const addresses: Addresses = {
  gateway: `http://127.0.0.1:${port('API_GATEWAY', 3000)}`,
  tenants: `http://127.0.0.1:${port('TENANT_SERVICE', 3007)}`,
  sandbox: `http://127.0.0.1:${port('PROVIDER_SANDBOX', 3020)}`,
};
/** One pixel, as PNG. */
const picture = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

type Received = { data: { path: string; body: Record<string, unknown> }[] };
type Story = { readonly tenant: DemoTenant; readonly contact: string; readonly messages: MessageView[]; readonly seconds: number };

const started = await startUnlessRunning();
try {
  await demo();
} catch (error) {
  process.exitCode = 1;
  process.stderr.write(`\ndemo: ${error instanceof DemoFailure ? error.message : String(error instanceof Error ? error.stack : error)}\n`);
} finally {
  await stop(started);
}

async function demo(): Promise<void> {
  const adminKey = process.env['ADMIN_KEY'] ?? readFileSync(join(home, 'admin-key'), 'utf8').trim();
  console.log('Onboarding two tenants; each connects its own WhatsApp number and its own Genesys organization.');
  const notebook = new Notebook(join(home, 'demo-notebook.json'));
  const acme = await onboard('Acme', notebook, addresses, adminKey);
  const globex = await onboard('Globex', notebook, addresses, adminKey);
  for (const tenant of [acme, globex]) console.log(`  ${tenant.name}: tenant ${tenant.tenantId}, number ${tenant.phoneNumberId}, integration ${tenant.integrationId}`);

  // The same person writes to both companies: one phone number, two conversations that must never meet.
  const contact = `1555${randomInt(1_000_000, 10_000_000)}`;
  console.log(`\n${contact} writes to both companies on WhatsApp; agents of both answer in Genesys.`);
  const [left, right] = await Promise.all([converse(acme, contact), converse(globex, contact)]);
  console.log(`\n${sideBySide(transcript(left), transcript(right))}`);

  const onlyAcmes = `1556${randomInt(1_000_000, 10_000_000)}`;
  await receive(acme, { from: onlyAcmes, name: 'Only Acme\'s', text: 'Hello Acme' });
  await eventually('the mapping of Acme\'s contact', async () => ((await state(acme, `mapping/${onlyAcmes}`)).status === 200 ? true : undefined));
  console.log('\nGlobex asks for what is Acme\'s:');
  const conversationId = left.messages[0]?.conversationId ?? '';
  const proofs = [
    ['GET /state/mapping/:waId of Acme\'s contact', `mapping/${onlyAcmes}`],
    ['GET /state/conversations/:id of Acme', `conversations/${conversationId}`],
    ['GET …/:id/messages of Acme', `conversations/${conversationId}/messages`],
  ] as const;
  for (const [what, path] of proofs) {
    const [own, foreign] = [await state(acme, path), await state(globex, path)];
    console.log(`  ${what}: Acme ${own.status}, Globex ${foreign.status} ${JSON.stringify((foreign.json as { error?: string }).error)}`);
    if (own.status !== 200 || foreign.status !== 404) throw new DemoFailure('tenants are not kept apart');
  }

  console.log(`\n${table([['tenant', 'conversation', 'from contact', 'from agents', 'delivered', 'read', 'seconds', 'mappings', 'messages'], ...(await Promise.all([left, right].map(summary)))])}`);
  await showChatwoot(addresses, adminKey, notebook);
  await showChatbot(addresses, adminKey, notebook);
  await showTwilio(addresses, adminKey, notebook);
  console.log('\nThe demo ended well.');
}

/** Several kinds both ways; returns the conversation as the tenant's API shows it. */
async function converse(tenant: DemoTenant, contact: string): Promise<Story> {
  const startedAt = Date.now();
  const agentSees = async () => (await ask<Received>('GET', `${addresses.sandbox}/sandbox/genesys/${tenant.integrationId}/received`)).data.filter(({ path, body }) => path.endsWith('/message') && JSON.stringify(body).includes(`"${contact}"`));
  const contactSees = async () => (await ask<Received>('GET', `${addresses.sandbox}/sandbox/whatsapp/${tenant.phoneNumberId}/sent`)).data.filter(({ body }) => String(body['to'] ?? '').includes(contact));
  const inbound = [
    { text: `Hello ${tenant.name}, where is my parcel? 📦` },
    { media: { mimeType: 'image/png', base64: picture, caption: 'the label' } },
    { message: { type: 'location', location: { latitude: 52.52, longitude: 13.405, name: 'Front door' } } },
    { media: { mimeType: 'application/pdf', base64: Buffer.from('%PDF-1.4').toString('base64'), fileName: 'invoice.pdf' } },
  ];
  for (const message of inbound) await receive(tenant, { from: contact, name: 'Ada', ...message });
  await eventually(`${inbound.length} messages at ${tenant.name}'s agents`, async () => ((await agentSees()).length >= inbound.length ? true : undefined));

  const replies = [{ text: `This is ${tenant.name}: it left this morning.` }, { media: { mimeType: 'image/png', base64: picture, fileName: 'map.png' } }, { text: `${'A long explanation, word by word. '.repeat(160)}Done.` }];
  for (const reply of replies) await ask('POST', `${addresses.sandbox}/sandbox/genesys/${tenant.integrationId}/reply`, { body: { to: contact, ...reply } });
  // The long text is more than WhatsApp takes in one message and arrives in two.
  await eventually(`${replies.length + 1} messages at ${tenant.name}'s contact`, async () => ((await contactSees()).length >= replies.length + 1 ? true : undefined));
  const messages = await eventually(`delivery of all answers of ${tenant.name}`, async () => {
    const mapping = await state(tenant, `mapping/${contact}`);
    const { data } = (await state(tenant, `conversations/${(mapping.json as { conversationId: string }).conversationId}/messages?limit=100`)).json as { data: MessageView[] };
    const outbound = data.filter((message) => message.direction === 'outbound');
    return data.length === inbound.length + replies.length && outbound.every((message) => message.deliveries.some((delivery) => delivery.status === 'read')) ? data : undefined;
  });
  return { tenant, contact, messages, seconds: (Date.now() - startedAt) / 1000 };
}

function receive(tenant: DemoTenant, body: Record<string, unknown>): Promise<unknown> {
  return ask('POST', `${addresses.sandbox}/sandbox/whatsapp/${tenant.phoneNumberId}/receive`, { body });
}

function state(tenant: DemoTenant, path: string) {
  return call('GET', `${addresses.gateway}/state/${path}`, { headers: { 'x-api-key': tenant.apiKey } });
}

function transcript({ tenant, messages }: Story): string[] {
  const line = ({ author, content, deliveries }: MessageView) => {
    const marks = { queued: '…', sent: '✓', delivered: '✓✓', read: '✓✓ read', failed: '✗' };
    const mark = author === 'contact' ? '' : ` ${marks[deliveries.at(-1)?.status ?? 'queued']}`;
    return `${author.padEnd(7)} ${shortened(content)}${mark}`;
  };
  return [`${tenant.name} (${tenant.tenantId})`, '', ...messages.map(line)];
}

function shortened(content: MessageContent): string {
  const text = describeContent(content).replaceAll('\n', ' ');
  const label = content.kind === 'text' ? '' : `[${content.kind}] `;
  return label + (text.length > 70 ? `${text.slice(0, 67)}…` : text);
}

async function summary({ tenant, messages, seconds }: Story): Promise<string[]> {
  const stats = (await state(tenant, 'stats')).json as { totalMappings: number; totalMessages: number };
  const fromAgents = messages.filter((message) => message.author === 'agent');
  const reached = (statuses: string[]) => fromAgents.filter((message) => message.deliveries.some((delivery) => statuses.includes(delivery.status))).length;
  return [
    tenant.name,
    messages[0]?.conversationId ?? '',
    ...[messages.length - fromAgents.length, fromAgents.length, reached(['delivered', 'read']), reached(['read'])].map(String),
    seconds.toFixed(1),
    String(stats.totalMappings),
    String(stats.totalMessages),
  ];
}

/** The demo wants a running installation; without one it starts its own and stops it at the end. */
async function startUnlessRunning(): Promise<ChildProcess | undefined> {
  const isRunning = await fetch(`${addresses.gateway}/health/ready`).then((response) => response.ok, () => false);
  if (isRunning && (existsSync(join(home, 'admin-key')) || process.env['ADMIN_KEY'])) return undefined;
  console.log('Nothing is running: starting Switchboard …');
  // In a group of its own: Ctrl-C ends the demo, which then stops what it started.
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'scripts/start.ts'], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  await new Promise<void>((done, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => chunk.toString().split('\n').includes('ready') && done());
    child.once('exit', (code) => reject(new DemoFailure(`Switchboard ended with ${code}`)));
  });
  return child;
}

function stop(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null) return Promise.resolve();
  return new Promise((done) => {
    child.once('exit', () => done());
    child.kill('SIGTERM');
  });
}
