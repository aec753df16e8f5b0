import type { RefusalFixture } from '@switchboard/connector-kit/testing';

type Row = readonly [codes: readonly number[], httpStatus: number, code: string, retry: RefusalFixture['retry'], scope?: RefusalFixture['scope']];

const minute = 60_000;

/** Every row of Twilio's error table (contract, section 7) and its fate. */
const rows: readonly Row[] = [
  [[20003], 401, 'provider.unauthorized', 'never', 'account'],
  [[20404], 404, 'provider.not_found', 'never', 'account'],
  [[20429], 429, 'provider.throttled', 'later'],
  [[20500], 500, 'provider.unavailable', 'later'],
  [[20503], 503, 'provider.unavailable', 'later'],
  [[21211, 21212, 21214, 21217, 21614], 400, 'provider.rejected', 'never'],
  [[21408, 21606, 21608], 400, 'provider.forbidden', 'never'],
  [[63007], 400, 'provider.not_found', 'never', 'account'],
  [[21610], 400, 'message.opted_out', 'never'],
  [[21611, 30001], 400, 'provider.throttled', { afterMs: minute }],
  [[21617, 63021], 400, 'message.unsupported_content', 'never'],
  [[21620, 63019], 400, 'media.unavailable', 'never'],
  [[21655, 21656, 63027, 63028, 63041], 400, 'provider.rejected', 'never'],
  [[30002, 21476, 21478], 403, 'provider.forbidden', 'never', 'account'],
  [[30003, 30005, 30006, 30004, 30007], 400, 'provider.rejected', 'never'],
  [[30008], 400, 'provider.unavailable', { afterMs: minute }],
  [[63001, 63008, 63020], 400, 'provider.forbidden', 'never', 'account'],
  [[63003, 63024, 63013, 63014, 63026, 63033, 63015, 63032], 400, 'provider.rejected', 'never'],
  [[63009, 63010, 63012], 500, 'provider.unavailable', 'later'],
  [[63016], 400, 'message.window_closed', 'never'],
  [[63017], 429, 'provider.throttled', { afterMs: 2_000 }],
  [[63018], 429, 'provider.throttled', { afterMs: 5_000 }],
  [[14107], 400, 'provider.rejected', 'never'],
];

export function twilioError(code: number, status: number, message = 'What Twilio says about it') {
  return { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status };
}

/** What comes without a code of the table, or with more than one. */
const others: readonly RefusalFixture[] = [
  { name: 'throttling that names its time', status: 429, headers: { 'retry-after': '17' }, body: twilioError(20429, 429), code: 'provider.throttled', retry: { afterMs: 17_000 } },
  // Not counted: a day is longer than a message's tries last.
  { name: 'code 63038', status: 429, body: twilioError(63038, 429), code: 'provider.throttled', retry: { afterMs: 60 * minute, counted: false } as RefusalFixture['retry'] },
  { name: 'a problem as RFC 9457 has it', status: 404, body: { type: 'about:blank', title: 'Not found', status: 404, code: 20404, detail: 'No such resource' }, code: 'provider.not_found', retry: 'never', scope: 'account' },
  { name: '401 without a body', status: 401, body: '', code: 'provider.unauthorized', retry: 'never', scope: 'account' },
  { name: '403 without a body', status: 403, body: '', code: 'provider.forbidden', retry: 'never', scope: 'account' },
  { name: '404 without a body', status: 404, body: '', code: 'provider.not_found', retry: 'never', scope: 'account' },
  { name: '429 without a body', status: 429, body: '', code: 'provider.throttled', retry: 'later' },
  { name: '500 without a body', status: 500, body: '', code: 'provider.unavailable', retry: 'later' },
  { name: '503 with a page', status: 503, body: '<html>Service Unavailable</html>', code: 'provider.unavailable', retry: 'later' },
  { name: 'an unknown code with 400', status: 400, body: twilioError(99999, 400), code: 'provider.rejected', retry: 'never' },
  { name: 'an unknown code with 500', status: 500, body: twilioError(99999, 500), code: 'provider.unavailable', retry: 'later' },
  { name: 'a redirect', status: 302, headers: { location: 'https://elsewhere.example.test' }, body: '', code: 'provider.rejected', retry: 'never' },
];

export const refusals: readonly RefusalFixture[] = [
  ...rows.flatMap(([codes, status, code, retry, scope]) => codes.map((twilioCode): RefusalFixture => ({ name: `code ${twilioCode}`, status, body: twilioError(twilioCode, status), code, retry, scope }))),
  ...others,
];
