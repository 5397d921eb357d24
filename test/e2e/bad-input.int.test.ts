import { test } from 'tap';
import { type Answer, type Options } from '../support/http-client.js';
import { testService } from '../support/service.js';

type Try = readonly [what: string, options: Options, status?: number, detail?: RegExp];
type Page = Readonly<{ items: readonly unknown[]; position: number }>;

const JSON_TYPE = { 'content-type': 'application/json' };
const FLAGS = '/projects/demo/flags';
const PLACE = `${FLAGS}/f/environments/production`;

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const json = (raw: string): Options => ({ raw, headers: JSON_TYPE });
const valued = (value: string): Options =>
  json(`{"key":"bad","type":"object","variants":[{"name":"a","value":${value}}]}`);
const body = (value: unknown): Options => ({ body: value });
const flag = { key: 'bad', type: 'boolean' };

/** Sent to the route that creates flags. */
const BODIES: readonly Try[] = [
  ['no body', {}, 400, /body/],
  ['an empty body', json(''), 400, /body/],
  ['null', json('null'), 400, /object/],
  ['an array', body([flag]), 400, /object/],
  ['broken JSON', json('{"key":'), 400],
  ['two values', json('{}{}'), 400],
  ['a byte order mark', json('\ufeff{}'), 400],
  ['no UTF-8', { raw: Buffer.from('{"key":"\xff"}', 'latin1'), headers: JSON_TYPE }, 400, /UTF-8/],
  ['a number for a key', body({ ...flag, key: 1 }), 400, /body\/key must be string/],
  ['a list for a key', body({ ...flag, key: ['bad'] }), 400, /body\/key must be string/],
  ['a key of 101 characters', body({ ...flag, key: 'a'.repeat(101) }), 400, /body\/key/],
  ['a key that is a path', body({ ...flag, key: '../x' }), 400, /body\/key/],
  ['a type that is none', body({ ...flag, type: 'date' }), 400, /one of "boolean", "string"/],
  ['a name that turns around', body({ ...flag, name: 'a\u202eb' }), 400, /body\/name/],
  ['a name of two lines', body({ ...flag, name: 'a\nb' }), 400, /body\/name/],
  ['a name of null', body({ ...flag, name: null }), 400, /body\/name/],
  ['an unknown property', body({ ...flag, tenantId: 'x' }), 400, /"tenantId"/],
  [
    'an unknown property inside',
    body({ ...flag, variants: [{ name: 'a', value: 1, id: 1 }] }),
    400,
  ],
  ['the property organizationId', body({ ...flag, organizationId: 'x' }), 400, /organizationId/],
  ['the property projectId', body({ ...flag, projectId: 'x' }), 400, /"projectId"/],
  ['the property constructor', body({ ...flag, constructor: {} }), 400, /"constructor"/],
  [
    'the property __proto__',
    json('{"key":"bad","type":"boolean","__proto__":{}}'),
    400,
    /__proto__/,
  ],
  ['an escaped __proto__', valued('{"\\u005f_proto__":{"a":1}}'), 400, /__proto__/],
  ['a __proto__ escaped in its middle', valued('{"_\\u005fproto__":{"a":1}}'), 400, /__proto__/],
  ['a __proto__ escaped at its end', valued('{"__proto_\\u005f":{"a":1}}'), 400, /__proto__/],
  ['a __proto__ inside', valued('{"a":[{"__proto__":{}}]}'), 400, /__proto__/],
  ['depth 33', valued(`{"a":${nested(30)}}`), 400, /deeper than 32/],
  ['depth 100 000', json(nested(100_000)), 400, /deeper than 32/],
  ['U+0000', valued('{"a":"\\u0000"}'), 400, /U\+0000/],
  ['U+0000 in a key', valued('{"\\u0000":1}'), 400, /U\+0000/],
  ['half a surrogate pair', valued('{"a":"\\ud800"}'), 400, /surrogate/],
  ['a number beyond range', valued('{"a":1e400}'), 400],
  ['a number beyond range in digits', valued(`{"a":${'9'.repeat(400)}}`), 400],
  [
    'a key twice',
    json('{"key":"bad","type":"boolean","key":"worse"}'),
    400,
    /"\/key" is given twice/,
  ],
  [
    'a key twice inside',
    valued('{"a":[{"b":1,"\\u0062":2}]}'),
    400,
    /"\/variants\/0\/value\/a\/0\/b" is given twice/,
  ],
  [
    'a whole number that no double has',
    valued('{"a":9007199254740993}'),
    400,
    /9007199254740993 .*\/value\/a/,
  ],
  ['more digits than a double has', valued('{"a":0.1234567890123456789}'), 400, /as a string/],
  ['1 MiB and more', json(`{"key":"${'a'.repeat(1024 * 1024)}"}`), 413, /1 MiB/],
  ['text', { raw: '{}', headers: { 'content-type': 'text/plain' } }, 415, /application\/json/],
  ['a form', { raw: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415],
  ['no content type', { raw: '{}' }, 415],
  ['a content type that is none', { raw: '{}', headers: { 'content-type': 'json' } }, 415],
  [
    'two content types',
    { raw: '{}', headers: { 'content-type': 'application/json, text/plain' } },
    415,
  ],
  [
    'another charset',
    { raw: '{}', headers: { 'content-type': 'application/json; charset=latin1' } },
    415,
    /UTF-8/,
  ],
  ['an If-Match of *', { ...body(flag), headers: { 'if-match': '*' } }, 400, /if-match/],
  ['an If-Match of no number', { ...body(flag), headers: { 'if-match': '"x"' } }, 400, /if-match/],
  [
    'an Idempotency-Key with a space',
    { ...body(flag), headers: { 'idempotency-key': 'a b' } },
    400,
  ],
  [
    'an Idempotency-Key of 201 characters',
    { ...body(flag), headers: { 'idempotency-key': 'a'.repeat(201) } },
    400,
    /idempotency-key/,
  ],
];

const ruleOn = (id: string): string =>
  `{"rules":[{"clauses":[{"attribute":"id","operator":"in","values":["a",${id}]}],"serve":{"variant":"on"}}]}`;

/** Sent elsewhere. */
const REQUESTS: readonly (readonly [method: string, path: string, ...rest: Try])[] = [
  ['PUT', `${PLACE}/rollout`, 'a text for a number', body({ percentage: '25' }), 400],
  ['PUT', `${PLACE}/rollout`, 'more than all', body({ percentage: 100.001 }), 400, /<= 100/],
  ['PUT', `${PLACE}/rollout`, 'a step too fine', body({ percentage: 0.0001 }), 422, /0\.001/],
  [
    'PATCH',
    '/projects/demo/environments/production',
    '0 for false',
    body({ isProduction: 0 }),
    400,
  ],
  ['PATCH', '/projects/demo/environments/production', 'text', body({ isProduction: 'false' }), 400],
  ['POST', `${PLACE}/enable`, 'a body where none is', body({ enabled: false }), 400, /no body/],
  ['DELETE', `${FLAGS}/f`, 'a body where none is', body({ soft: true }), 400, /no body/],
  ['DELETE', `${FLAGS}/f`, 'a body of another kind', { raw: 'x' }, 415],
  ['POST', `${PLACE}/enable?dryRun=1`, 'a number for a boolean', {}, 400, /dryRun/],
  ['POST', `${PLACE}/enable?dryRun=`, 'nothing for a boolean', {}, 400, /dryRun/],
  ['POST', `${PLACE}/enable?dryrun=true`, 'an unknown parameter', {}, 400, /"dryrun"/],
  ['POST', `${PLACE}/enable?reason=%00`, 'U+0000 in a reason', {}, 400, /U\+0000/],
  ['POST', `${PLACE}/enable?reason=${'a'.repeat(1001)}`, 'a long reason', {}, 400, /reason/],
  ['POST', `${FLAGS}/${'a'.repeat(101)}/archive`, 'a long key', {}, 400, /params\/flag/],
  ['POST', `${FLAGS}/${'a'.repeat(301)}/archive`, 'a longer key', {}, 414, /longer/],
  ['POST', `${FLAGS}/%zz/archive`, 'bad percent-encoding', {}, 400, /%/],
  ['POST', `${FLAGS}/%ff/archive`, 'no UTF-8 in the path', {}, 400, /UTF-8/],
  ['POST', `${FLAGS}/a%2Fb/archive`, 'a slash in a key', {}, 400, /params\/flag/],
  ['GET', `${FLAGS}?tag=%00`, 'U+0000 in a filter', {}, 400, /U\+0000/],
  ['GET', `${FLAGS}?limit=0`, 'a limit of nothing', {}, 400, /limit must be >= 1/],
  [
    'GET',
    `${FLAGS}?limit=${'9'.repeat(400)}`,
    'a limit beyond range',
    {},
    400,
    /limit must be <= 200/,
  ],
  [
    'GET',
    `${FLAGS}?limit=1e2`,
    'a limit with an exponent',
    {},
    400,
    /limit must be a whole number/,
  ],
  ['GET', `${FLAGS}?limit=%201`, 'a limit with a space', {}, 400, /limit must be a whole number/],
  ['GET', `${FLAGS}/f?position=9223372036854775808`, 'a position of 65 bits', {}, 400],
  [
    'POST',
    `${FLAGS}/f/revert`,
    'a position of 65 bits',
    { body: { position: '9223372036854775808' } },
    400,
  ],
  ['POST', `${FLAGS}/f/revert`, 'no moment at all', {}, 400],
  [
    'PUT',
    `${PLACE}/rules`,
    'an id in a rule',
    json(ruleOn('822106502566256641')),
    400,
    /"\/rules\/0\/clauses\/0\/values\/1" .*as a string/,
  ],
  [
    'POST',
    '/projects/demo/import',
    'a large number in a file',
    json(
      '{"flags":{"n":{"state":"ENABLED","variants":{"a":9007199254740993},"defaultVariant":"a"}}}',
    ),
    400,
    /"\/flags\/n\/variants\/a"/,
  ],
  ['GET', `${FLAGS}?limit=1&limit=2`, 'a limit twice', {}, 400, /limit/],
  ['GET', FLAGS, 'a position of text', { headers: { 'x-min-position': 'now' } }, 400],
  [
    'GET',
    '/audit?flag=f&segment=f',
    'what excludes each other',
    {},
    400,
    /both a flag and a segment/,
  ],
  ['GET', '/audit?flag=f&category=segment', 'another category', {}, 400, /category "segment"/],
  ['GET', '/audit?type=Nope', 'an unknown event type', {}, 400, /no event type "Nope"/],
  ['GET', '/audit?type=FlagCreated,FlagDeleted', 'two in one', {}, 400, /type=A&type=B/],
  ['GET', '/audit?segment=s&type=FlagCreated', 'a type of another category', {}, 400, /"flag"/],
  ['GET', '/audit?environment=nowhere', 'an unknown environment', {}, 400, /"nowhere"/],
  ['GET', '/audit/export?type=flagcreated', 'a type in lower case', {}, 400, /no event type/],
  [
    'POST',
    '/invitations',
    'Latin and Cyrillic',
    body({ email: '\u0430nna@example.com', role: 'viewer' }),
    400,
    /scripts/,
  ],
  [
    'POST',
    '/invitations',
    'a hidden mark',
    body({ email: 'a\u200bb@example.com', role: 'viewer' }),
    400,
    /invisible/,
  ],
  [
    'POST',
    '/invitations',
    'a domain in Punycode',
    body({ email: 'a@xn--exmple-cua.com', role: 'viewer' }),
    400,
    /own letters/,
  ],
  ['GET', '/nothing', 'no route', {}, 404, /no GET/],
  ['GET', '/projects/', 'a key of nothing', {}, 400, /params\/project/],
  ['PUT', '/projects/demo', 'no such method of it', {}, 405, /DELETE, GET, HEAD, PATCH/],
  ['OPTIONS', '/projects', 'no such method of it', {}, 405, /GET, HEAD, POST/],
];

const looksLikeProblem = (
  { headers, body: problem, status }: Answer,
  detail: RegExp,
): Readonly<Record<string, unknown>> => ({
  found: [headers['content-type'], problem, status],
  wanted: [
    /^application\/problem\+json/,
    { type: /^urn:chronoflag:problem:[a-z0-9-]+$/, title: /\w/, status, detail, instance: /\w/ },
    status,
  ],
});

test('bad input is refused, clearly, and stores nothing', async (t) => {
  const service = await testService(t);
  const made = await service.post<{ position: number }>(FLAGS, {
    body: { key: 'f', type: 'boolean' },
  });
  const headers = { 'x-min-position': String(made.body.position) };
  const { body: before } = await service.get<Page>('/audit?limit=200', { headers });

  await t.test('bodies', async (t) => {
    t.plan(BODIES.length * 2);
    for (const [what, options, status = 400, detail = /\w{3}/] of BODIES) {
      const answer = await service.post(FLAGS, options);
      const { found, wanted } = looksLikeProblem(answer, detail);
      t.equal(answer.status, status, what);
      t.match(found, wanted, `${what} gets a clear problem`);
    }
  });

  await t.test('paths, queries and headers', async (t) => {
    t.plan(REQUESTS.length * 2);
    for (const [method, path, what, options, status = 400, detail = /\w{3}/] of REQUESTS) {
      const answer = await service.send(method, `/api/v1${path}`, options);
      const { found, wanted } = looksLikeProblem(answer, detail);
      t.equal(answer.status, status, `${method} ${path.slice(0, 80)}: ${what}`);
      t.match(found, wanted, 'it gets a clear problem');
    }
  });

  await t.test('evaluation takes no more than it should', async (t) => {
    const path = '/projects/demo/environments/production/evaluate';
    const refused = async (status: number, options: Options): Promise<void> => {
      t.match(await service.post(path, options), { status, body: { detail: /\w{3}/ } });
    };
    await refused(400, body({}));
    await refused(400, body({ context: null }));
    await refused(400, body({ context: {}, more: 1 }));
    await refused(400, body({ context: { targetingKey: 1 } }));
    await refused(400, json(`{"context":{"a":${nested(40)}}}`));
    await refused(400, json('{"context":{"a":"\\u0000"}}'));
    await refused(400, json('{"context":{"id":822106502566256642}}'));
    await refused(400, json('{"context":{"id":1,"id":2}}'));
    await refused(413, body({ context: { a: 'a'.repeat(65 * 1024) } }));
    t.match(await service.get(`${path}?a=%00`), { status: 400 });
  });

  await t.test('none of it is in the log, and the read model goes on', async (t) => {
    const { body: after } = await service.get<Page>('/audit?limit=200', { headers });
    t.equal(after.items.length, before.items.length);
    const next = await service.post<{ position: number }>(`${PLACE}/enable`);
    const position = { 'x-min-position': String(next.body.position) };
    t.match(await service.get(`${FLAGS}/f`, { headers: position }), { status: 200 });
    t.match(await service.send('GET', '/ready'), { status: 200, body: { status: 'ready' } });
  });

  await t.test('a request id comes back when it is one', async (t) => {
    const idOf = async (given: string) => {
      const answer = await service.send('GET', '/health', { headers: { 'x-request-id': given } });
      return answer.headers['x-request-id'];
    };
    t.equal(await idOf('trace-1:a.b'), 'trace-1:a.b');
    t.match(await idOf('two words'), /^[0-9a-f-]{36}$/);
    t.match(await idOf('a'.repeat(101)), /^[0-9a-f-]{36}$/);
  });

  await t.test('HEAD is GET without a body', async (t) => {
    const head = await service.send('HEAD', '/api/v1/projects/demo');
    t.match(head, { status: 200, text: '', headers: { etag: /^"\d+"$/ } });
    t.match(await service.send('HEAD', '/health', { credential: null }), { status: 200, text: '' });
    t.match(await service.send('HEAD', '/api/v1/projects', { credential: null }), { status: 401 });
  });
});
