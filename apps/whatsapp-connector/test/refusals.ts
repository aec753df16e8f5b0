import type { RefusalFixture } from '@switchboard/connector-kit/testing';

type Row = readonly [codes: readonly number[], code: string, retry: RefusalFixture['retry'], scope?: RefusalFixture['scope']];

/** Every row of Meta's error table (contract, section 8.1) and its fate. */
const rows: readonly Row[] = [
  [[0, 190], 'provider.unauthorized', 'never', 'account'],
  [[3, 10, 200, 299, 131_005], 'provider.forbidden', 'never', 'account'],
  [[1, 2, 131_000, 131_016], 'provider.unavailable', 'later'],
  [[4, 80_007], 'provider.throttled', { afterMs: 120_000 }],
  [[130_429], 'provider.throttled', { afterMs: 5_000 }],
  [[131_056], 'provider.throttled', { afterMs: 6_000 }, 'pair'],
  [[131_048, 131_064], 'provider.rejected', 'never'],
  [[131_057], 'provider.unavailable', { afterMs: 60_000 }],
  [[33, 131_045, 131_037, 133_010], 'provider.not_found', 'never', 'account'],
  [[100, 131_008, 131_009, 131_051], 'provider.rejected', 'never'],
  [[368, 131_031], 'provider.forbidden', 'never', 'account'],
  [[130_497], 'provider.forbidden', 'never'],
  [[130_403, 130_472, 131_021, 131_026, 131_042, 131_049, 131_050, 131_062, 131_063], 'provider.rejected', 'never'],
  [[131_047], 'message.window_closed', 'never'],
  [[131_052], 'media.unavailable', 'never'],
  [[131_053], 'message.unsupported_content', 'never'],
  [[132_000, 132_001, 132_005, 132_007, 132_012, 132_015, 132_016, 132_068, 133_016], 'provider.rejected', 'never'],
  [[132_069], 'provider.throttled', { afterMs: 60_000 }, 'pair'],
];

function graphError(code: number, message = `(#${code}) Something`) {
  return { error: { message, type: 'OAuthException', code, error_data: { messaging_product: 'whatsapp', details: 'What Meta says about it' }, fbtrace_id: 'AbC' } };
}

/** What comes without a code of the table. */
const others: readonly RefusalFixture[] = [
  { name: 'code 200 about the token', status: 400, body: graphError(200, 'An access token is required'), code: 'provider.unauthorized', retry: 'never', scope: 'account' },
  { name: 'throttling that names its time', status: 429, headers: { 'retry-after': '17' }, body: graphError(130_429), code: 'provider.throttled', retry: { afterMs: 17_000 } },
  { name: '401 without a body', status: 401, body: '', code: 'provider.unauthorized', retry: 'never', scope: 'account' },
  { name: '403 without a body', status: 403, body: '', code: 'provider.forbidden', retry: 'never', scope: 'account' },
  { name: '404 without a body', status: 404, body: '', code: 'provider.not_found', retry: 'never', scope: 'account' },
  { name: '429 without a body', status: 429, body: '', code: 'provider.throttled', retry: 'later' },
  { name: '500 without a body', status: 500, body: '', code: 'provider.unavailable', retry: 'later' },
  { name: '503 with a page', status: 503, body: '<html>Service Unavailable</html>', code: 'provider.unavailable', retry: 'later' },
  { name: 'an unknown code with 400', status: 400, body: graphError(999_999), code: 'provider.rejected', retry: 'never' },
  { name: 'an unknown code with 500', status: 500, body: graphError(999_999), code: 'provider.unavailable', retry: 'later' },
  { name: 'a redirect', status: 302, headers: { location: 'https://elsewhere.example.test' }, body: '', code: 'provider.rejected', retry: 'never' },
];

export const refusals: readonly RefusalFixture[] = [
  ...rows.flatMap(([codes, code, retry, scope]) => codes.map((metaCode): RefusalFixture => ({ name: `code ${metaCode}`, status: 400, body: graphError(metaCode), code, retry, scope }))),
  ...others,
];
