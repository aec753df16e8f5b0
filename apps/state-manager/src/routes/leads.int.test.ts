import { createLead, exportLeads, getLead, listLeads, newId, updateLead, type LeadView, type PayloadInputOf, type TenantId } from '@switchboard/contracts';
import { describeRoute } from '@switchboard/service-kit/testing';
import { runAsTenant, runWithActor, type Actor } from '@switchboard/tenant-context';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runState, type RunningState } from '../../test/run-state.ts';
import { acme, globex, makeTenant, startState, type TestState } from '../../test/start-state.ts';

let state: RunningState;
/** The same service with its events in sight. */
let inside: TestState;

beforeAll(async () => {
  [state, inside] = await Promise.all([runState(), startState()]);
  await inside.addTenant(makeTenant(acme));
}, 60_000);
afterAll(() => Promise.all([state?.stop(), inside?.stop()]));

const ada = { source: 'form', contact: { name: 'Ada', phone: '+1 500 555 0123', email: 'ada@example.test' }, notes: 'wants a quote' };
const post = async (tenantId: TenantId, body: unknown = ada, headers: Record<string, string> = {}) => (await state.call<LeadView>(tenantId, 'POST', '/tenant/leads', body, headers)).json;
const list = (tenantId: TenantId, query = '') => state.call<{ data: LeadView[]; nextCursor: string | null }>(tenantId, 'GET', `/tenant/leads${query}`);
const captured = (change: Partial<PayloadInputOf<'lead.captured'>> = {}): PayloadInputOf<'lead.captured'> => ({ leadId: newId('led'), source: 'chatbot', contact: { name: 'Grace' }, at: '2026-11-21T12:00:00.000Z', ...change });

const suite = { service: 'state-manager', url: () => state.url, tenants: [acme, globex] } as const;
const noLead = () => ({ params: { leadId: newId('led') } });
const badFilters = {
  'an unknown status': (input: object) => ({ ...input, query: { status: 'lukewarm' } }),
  'a source that is none': (input: object) => ({ ...input, query: { source: 'Form!' } }),
  'a time that is none': (input: object) => ({ ...input, query: { since: 'yesterday' } }),
};

describeRoute(listLeads, { ...suite, input: async (tenantId) => (await post(tenantId), {}), badInputs: { ...badFilters, 'a foreign cursor': (input) => ({ ...input, query: { cursor: Buffer.from('led_x').toString('base64url') } }) } });
describeRoute(createLead, {
  ...suite,
  input: () => ({ body: ada }),
  badInputs: {
    'no name': (input) => ({ ...input, body: { ...ada, contact: {} } }),
    'an e-mail address that is none': (input) => ({ ...input, body: { ...ada, contact: { name: 'Ada', email: 'ada' } } }),
    'a zero byte': (input) => ({ ...input, body: { ...ada, notes: 'a\0b' } }),
  },
});
describeRoute(getLead, { ...suite, input: async (tenantId) => ({ params: { leadId: (await post(tenantId)).leadId } }), missing: noLead });
describeRoute(updateLead, {
  ...suite,
  input: async (tenantId) => ({ params: { leadId: (await post(tenantId)).leadId }, body: { status: 'contacted' as const } }),
  missing: (input) => ({ ...input, ...noLead() }),
  badInputs: { 'nothing to change': (input) => ({ ...input, body: {} }), 'an unknown status': (input) => ({ ...input, body: { status: 'lukewarm' } }) },
});
describeRoute(exportLeads, { ...suite, input: async (tenantId) => (await post(tenantId), {}), badInputs: badFilters });

describe('a lead', () => {
  it('given twice under one key is one lead, changed or not; another under the key is refused', async () => {
    const key = { 'idempotency-key': newId('req') };
    const answers = await Promise.all(Array.from({ length: 6 }, () => post(acme, ada, key)));
    expect(new Set(answers.map(({ leadId }) => leadId)).size).toBe(1);
    const [first] = answers;
    expect((await state.call(acme, 'PATCH', `/tenant/leads/${first?.leadId}`, { status: 'won', notes: null, assignee: 'Lin' })).json).toMatchObject({ status: 'won', notes: null, assignee: 'Lin' });
    expect(await post(acme, ada, key)).toMatchObject({ leadId: first?.leadId, status: 'won' });
    expect(await state.call(acme, 'POST', '/tenant/leads', { ...ada, notes: 'another' }, key)).toMatchObject({ status: 409, json: { code: 'request.idempotency_conflict' } });
    expect((await post(globex, ada, key)).leadId).not.toBe(first?.leadId);
  });

  it('is listed page by page without loss or repetition, by what is asked for, to its tenant alone', async () => {
    const source = 'pages';
    const mine = await Promise.all(Array.from({ length: 5 }, () => post(acme, { ...ada, source })));
    await post(globex, { ...ada, source });
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { json }: { json: { data: LeadView[]; nextCursor: string | null } } = await list(acme, `?source=${source}&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...json.data.map(({ leadId }) => leadId));
      cursor = json.nextCursor;
    }
    expect(seen.toSorted()).toEqual(mine.map(({ leadId }) => leadId).toSorted());
    await state.call(acme, 'PATCH', `/tenant/leads/${seen[0]}`, { status: 'lost' });
    expect((await list(acme, `?source=${source}&status=lost`)).json.data.map(({ leadId }) => leadId)).toEqual([seen[0]]);
    expect((await list(acme, `?source=${source}&since=2999-01-01T00:00:00Z`)).json.data).toEqual([]);
  });

  it('comes as CSV, with nothing that a spreadsheet would run', async () => {
    const source = 'csv';
    await post(acme, { source, contact: { name: '=HYPERLINK("http://evil.test")', phone: '+15005550123' }, notes: '@SUM(A1),\n"x"' });
    await post(globex, { ...ada, source });
    const { status, text, headers } = await state.call(acme, 'GET', `/tenant/leads.csv?source=${source}`);
    expect({ status, type: headers.get('content-type'), named: headers.get('content-disposition') }).toEqual({ status: 200, type: 'text/csv; charset=utf-8', named: 'attachment; filename="leads.csv"' });
    const [head, ...lines] = text.split('\r\n');
    expect(head).toBe('lead_id,captured_at,source,status,name,phone,email,notes,attributes,assignee,conversation_id,updated_at');
    expect(lines.filter((line) => line !== '')).toHaveLength(1);
    expect(lines[0]).toContain(`,csv,new,"'=HYPERLINK(""http://evil.test"")",'+15005550123,,"'@SUM(A1),\n""x""",`);
  });
});

describe('lead.captured', () => {
  const stored = (tenantId: TenantId, leadId: string) => inside.rows(tenantId, 'select source, status, name, notes, attributes from leads where lead_id = $1', [leadId]);

  it('is kept once under the id it came with, however often it is told, and by each tenant for itself', async () => {
    const lead = captured({ notes: 'call\0 me', attributes: { topic: 'parcel' } });
    await inside.consume(acme, 'lead.captured', lead);
    await inside.consume(acme, 'lead.captured', { ...lead, notes: 'told again' });
    expect(await stored(acme, lead.leadId)).toEqual([{ source: 'chatbot', status: 'new', name: 'Grace', notes: 'call me', attributes: { topic: 'parcel' } }]);
    expect(await stored(globex, lead.leadId)).toEqual([]);
    await inside.consume(globex, 'lead.captured', captured({ leadId: lead.leadId, contact: { name: 'Lin' } }));
    expect(await stored(globex, lead.leadId)).toMatchObject([{ name: 'Lin' }]);
  });

  it('is told of a lead that was given through the API, and every change is audited without what the contact said', async () => {
    const actor: Actor = { kind: 'key', subject: 'key_test', from: null };
    const ask = (contract: object, input: object) => {
      const route = inside.parts.routes?.find((candidate) => candidate.contract === contract);
      return runAsTenant(acme, () => runWithActor(actor, () => route?.handle({ params: {}, query: {}, ...input } as never))); // what the kit adds is not looked at
    };
    inside.takePublished();
    const lead = (await ask(createLead, { body: ada })) as LeadView;
    await ask(updateLead, { params: { leadId: lead.leadId }, body: { status: 'contacted', notes: 'called' } });
    const published = inside.takePublished();
    expect(published).toMatchObject([
      { type: 'lead.captured', payload: { leadId: lead.leadId, source: 'form', contact: ada.contact, notes: 'wants a quote' } },
      { type: 'audit.recorded', payload: { actor, action: 'lead.created', subject: lead.leadId, after: { status: 'new' } } },
      { type: 'audit.recorded', payload: { actor, action: 'lead.updated', subject: lead.leadId, before: { status: 'new' }, after: { status: 'contacted' }, facts: { notesChanged: true } } },
    ]);
    expect(JSON.stringify(published.slice(1))).not.toMatch(/Ada|quote|called/);
    await inside.consume(acme, 'lead.captured', published[0]?.payload as PayloadInputOf<'lead.captured'>);
    expect(await stored(acme, lead.leadId)).toMatchObject([{ notes: 'called' }]);
  });
});
