import { test } from 'tap';
import { type Options } from '../../support/http-client.js';
import { createOfrepFlags, issueKey, setVariant, untilServed } from '../../support/ofrep-flags.js';
import { testService } from '../../support/service.js';

type Failure = Readonly<{ key?: string; errorCode: string; errorDetails: string }>;

const BULK = '/ofrep/v1/evaluate/flags';
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };
const STANDARD_REASONS = ['STATIC', 'DEFAULT', 'TARGETING_MATCH', 'SPLIT', 'DISABLED'];

const ITEMS: Readonly<Record<string, string>> = {
  'a-boolean': '{"key":"a-boolean","value":true,"reason":"STATIC","variant":"v0","metadata":{}}',
  'a-float': '{"key":"a-float","value":10.0,"reason":"STATIC","variant":"v0","metadata":{}}',
  'a-string': '{"key":"a-string","value":"ünï","reason":"STATIC","variant":"v0","metadata":{}}',
  'an-integer': '{"key":"an-integer","value":10,"reason":"STATIC","variant":"v0","metadata":{}}',
  'an-object':
    '{"key":"an-object","value":{"list":[1,{"a":null}]},"reason":"STATIC","variant":"v0","metadata":{}}',
  disabled: '{"key":"disabled","reason":"DISABLED","metadata":{}}',
};

test('OFREP on the wire', async (t) => {
  const service = await testService(t);
  await createOfrepFlags(service);
  const { key: clientKey } = await issueKey(service, 'client');
  const post = <Body = Record<string, unknown>>(path: string, options: Options = {}) =>
    service.send<Body>('POST', path, {
      body: { context: {} },
      credential: service.serverKey,
      ...options,
    });
  const raw = (text: string, headers: Readonly<Record<string, string>> = JSON_TYPE): Options => ({
    body: undefined,
    raw: text,
    headers,
  });

  await t.test('one flag: the bytes that every client reads', async (t) => {
    t.plan(Object.keys(ITEMS).length * 2);
    for (const [key, item] of Object.entries(ITEMS)) {
      const answer = await post(`${BULK}/${key}`);
      t.equal(answer.text, item);
      t.match(answer, {
        status: 200,
        headers: { 'content-type': 'application/json; charset=utf-8', 'x-position': /^\d+$/ },
      });
    }
  });

  await t.test('all flags: the same items, in the order of their keys', async (t) => {
    const answer = await post<{ flags: readonly { reason: string }[] }>(BULK);
    t.match(answer, { status: 200, headers: { etag: /^"[\w-]{43}"$/ }, body: { metadata: {} } });
    const expected = `{"flags":[${Object.values(ITEMS).join(',')}],"metadata":{}`;
    t.ok(answer.text.startsWith(expected), answer.text);
    t.ok(answer.body.flags.every(({ reason }) => STANDARD_REASONS.includes(reason)));
  });

  await t.test('what clients send for "no context"', async (t) => {
    const bodies = ['', '{}', '{"context":null}', '{"context":{}}', '{"context":{},"more":1}'];
    for (const path of [BULK, `${BULK}/a-boolean`]) {
      for (const body of bodies) t.equal((await post(path, raw(body))).status, 200, body);
      const bare = { body: undefined, headers: {} };
      t.equal((await post(path, bare)).status, 200, 'no body and no content type');
      const none = raw('{"context":{"targetingKey":null}}');
      t.equal((await post(path, none)).status, 200);
    }
  });

  await t.test('paths as clients make them', async (t) => {
    t.equal((await post(`${BULK}/`)).status, 200, 'a slash behind');
    t.equal((await post(`/${BULK}`)).status, 200, 'a slash at the end of the base URL');
    t.equal((await post(`${BULK}/a%2Dboolean`)).status, 200, 'keys are decoded');
    for (const [path, key] of [
      ['a%2Fb', 'a/b'],
      ['a/b', 'a/b'],
      ['none', 'none'],
      ['__proto__', '__proto__'],
      ['x'.repeat(150), 'x'.repeat(150)],
      ['x'.repeat(1_000), 'x'.repeat(1_000)],
    ] as const)
      t.match(await post(`${BULK}/${path}`), {
        status: 404,
        body: { key, errorCode: 'FLAG_NOT_FOUND', errorDetails: /\w/, metadata: {} },
      });
  });

  await t.test('every refusal is an object that every client can read', async (t) => {
    const cases: readonly (readonly [number, string, string, Options, string?])[] = [
      [400, 'PARSE_ERROR', BULK, raw('{"context":')],
      [400, 'PARSE_ERROR', `${BULK}/a-boolean`, raw('{')],
      [400, 'PARSE_ERROR', BULK, raw('{"context":{"a":1,"a":2}}')],
      [400, 'INVALID_CONTEXT', BULK, raw('{"context":{"id":822106502566256642}}')],
      [400, 'INVALID_CONTEXT', `${BULK}/a-boolean`, raw('{"context":{"id":822106502566256642}}')],
      [400, 'INVALID_CONTEXT', BULK, raw('[]')],
      [400, 'INVALID_CONTEXT', BULK, raw('{"context":[]}')],
      [400, 'INVALID_CONTEXT', `${BULK}/a-boolean`, raw('{"context":{"targetingKey":7}}')],
      [401, 'GENERAL', BULK, { credential: null }],
      [401, 'GENERAL', `${BULK}/a-boolean`, { credential: `${service.serverKey.slice(0, -2)}00` }],
      [403, 'GENERAL', `${BULK}/a-boolean`, { credential: clientKey }],
      [403, 'GENERAL', BULK, { credential: service.credential }],
      [404, 'GENERAL', '/ofrep/v1/configuration', {}],
      [404, 'GENERAL', '/ofrep', {}],
      [413, 'GENERAL', BULK, { body: { context: { a: 'a'.repeat(66_000) } } }],
      [415, 'GENERAL', BULK, raw('a=b', { 'content-type': 'application/x-www-form-urlencoded' })],
      [415, 'GENERAL', BULK, raw('{}', { 'content-type': 'application/json; charset=latin1' })],
      [404, 'GENERAL', '/ofrep/%zz', {}],
    ];
    for (const [status, errorCode, path, options] of cases) {
      const answer = await post<Failure>(path, options);
      t.match(
        answer,
        {
          status,
          headers: { 'content-type': 'application/json; charset=utf-8' },
          body: { errorCode, errorDetails: /\w{3}/, metadata: {} },
        },
        `${status} ${path}`,
      );
      const isSingle = path === `${BULK}/a-boolean`;
      t.equal(answer.body.key, isSingle ? 'a-boolean' : undefined);
    }
    t.match(await service.send('GET', BULK, { credential: service.serverKey }), {
      status: 405,
      headers: { allow: 'POST' },
      body: { errorCode: 'GENERAL', metadata: {} },
    });
  });

  await t.test('who is not let in hears what to send', async (t) => {
    const { body } = await post<Failure>(BULK, { credential: null });
    t.match(body.errorDetails, /^Send an application key, as "X-API-Key: <key>"/);
    const wrong = await post<Failure>(BULK, { credential: `${service.serverKey.slice(0, -2)}00` });
    t.match(wrong.body.errorDetails, /^The credential is unknown or was revoked\. Send/);
  });

  await t.test('a client key evaluates all flags, by either header', async (t) => {
    t.equal((await post(BULK, { credential: clientKey })).status, 200);
    const headers = { 'x-api-key': clientKey };
    t.equal((await post(BULK, { credential: null, headers })).status, 200);
  });

  await t.test('a key is for its own environment', async (t) => {
    const { key } = await issueKey(service, 'server', 'staging');
    t.match(await post(`${BULK}/a-boolean`, { credential: key }), {
      status: 200,
      body: { reason: 'DISABLED' },
    });
    await service.delete('/projects/demo/environments/staging');
    const until404 = async () => {
      for (;;) {
        const answer = await post(BULK, { credential: key });
        if (answer.status !== 200) return answer;
      }
    };
    t.match(await until404(), { status: 404, body: { errorCode: 'GENERAL', metadata: {} } });
  });

  await t.test('the ETag is of the answer: it changes when something visible does', async (t) => {
    const first = await post(BULK);
    const tag = String(first.headers.etag);
    const bare = tag.slice(1, -1);
    const again = (value: string, context: object = {}) =>
      post(BULK, { headers: { 'if-none-match': value }, body: { context } });
    for (const value of [tag, `W/${tag}`, bare, `"x", ${tag}`, '*', `"${bare}-gzip"`]) {
      const answer = await again(value);
      t.match(answer, { status: 304, text: '', headers: { etag: tag } }, value);
    }
    for (const value of ['"x"', '', `"${bare}x"`])
      t.equal((await again(value)).status, 200, `not for ${value}`);
    await service.patch('/projects/demo/flags/a-boolean', { body: { description: 'new' } });
    await untilServed(service, await setVariant(service, 'a-string', 'v1'));
    t.equal((await again(tag)).status, 200);
    await untilServed(service, await setVariant(service, 'a-string', 'v0'));
    t.equal((await again(tag)).status, 304, 'and is the same for the same answer');
  });
});
