import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { test, type Test } from 'tap';
import { bulk, type OfrepApp, ofrepApp, streamPath } from '../../support/ofrep-app.js';
import { aRuleset } from '../../support/rulesets.js';
import { until } from '../../support/until.js';

const FLAGS = [aRuleset('a'), aRuleset('b')];
const changed = (nth: number) => [aRuleset('a', { salt: `salt ${nth}` }), aRuleset('b')];

/** A stream, and all that has come through it. */
const listen = async (
  t: Test,
  { url }: OfrepApp,
  path: string,
  headers: Readonly<Record<string, string>> = {},
) => {
  const request = get(url + path, { headers, agent: false });
  request.on('error', () => undefined);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  response.on('error', () => undefined);
  const ended = new Promise((resolve) => response.once('close', resolve));
  t.teardown(() => request.destroy());
  return {
    response,
    ended,
    text: () => text,
    events: () =>
      [...text.matchAll(/^id: (\d+)\nevent: message\ndata: (.*)\n\n/gm)].map(
        ([, id, data = '']) => ({
          id: Number(id),
          ...(JSON.parse(data) as { type: string; etag: string }),
        }),
      ),
  };
};

/** A stream of a client that has been told of all there is. */
const listenFromNow = async (t: Test, ofrep: OfrepApp) => {
  const position = String(ofrep.memory.current()?.position);
  return listen(t, ofrep, await streamPath(ofrep), { 'last-event-id': position });
};

test('a change is told, with its log position and what to evaluate against', async (t) => {
  const ofrep = await ofrepApp(t, { rulesets: FLAGS });
  const stream = await listenFromNow(t, ofrep);
  t.match(stream.response, {
    statusCode: 200,
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    },
  });
  const position = ofrep.publish(changed(1));
  await until('it is told', () => stream.events().length === 1);
  const [event] = stream.events();
  t.match(event, { id: position, type: 'refetchEvaluation', etag: /^[0-9a-f]{32}\.\d+$/ });
  t.match(stream.text(), /^retry: \d{4}\n\n/);
});

test('what nobody can see is not told', async (t) => {
  const ofrep = await ofrepApp(t, { rulesets: FLAGS });
  const stream = await listenFromNow(t, ofrep);
  ofrep.publish(FLAGS.map((flag) => ({ ...flag, revision: 9, position: 105 })));
  ofrep.publish(FLAGS.toReversed());
  const position = ofrep.publish(changed(2));
  await until('the change is told', () => stream.events().length > 0);
  t.strictSame(
    stream.events().map(({ id }) => id),
    [position],
  );
});

test('who comes back is told at once of what they missed', async (t) => {
  const ofrep = await ofrepApp(t, { rulesets: FLAGS });
  const path = await streamPath(ofrep);
  const first = await listenFromNow(t, ofrep);
  const missed = ofrep.publish(changed(1));
  await until('the change is told', () => first.events().length === 1);
  const back = await listen(t, ofrep, path, { 'last-event-id': String(missed - 1) });
  await until('it is told', () => back.events().length === 1);
  t.equal(back.events()[0]?.id, missed);
  const current = await listen(t, ofrep, path, { 'last-event-id': String(missed) });
  await until('it is told where it is', () => current.text().includes(`id: ${missed}\n\n`));
  t.strictSame(current.events(), []);
  const fresh = await listen(t, ofrep, path);
  await until('a change of just now may have been missed', () => fresh.events().length === 1);
});

test('a stream needs a token, of this hour or the last', async (t) => {
  const ofrep = await ofrepApp(t, { rulesets: FLAGS });
  const path = await streamPath(ofrep);
  const statusOf = async (at: string): Promise<number | undefined> =>
    (await listen(t, ofrep, at)).response.statusCode;
  t.equal(await statusOf(path), 200);
  t.equal(await statusOf('/ofrep/v1/events'), 401);
  t.equal(await statusOf(`${path.slice(0, -2)}AA`), 401);
  t.equal(await statusOf(`/ofrep/v1/events?token=${ofrep.keys.server}`), 401);
  ofrep.time.now += 3_600_000;
  t.equal(await statusOf(path), 200);
  ofrep.time.now += 3_600_000;
  t.equal(await statusOf(path), 401);
  t.equal(await statusOf(await streamPath(ofrep)), 200);
});

test('the answer, and so its ETag, is the same for an hour, in every process', async (t) => {
  const ofrep = await ofrepApp(t, { rulesets: FLAGS });
  const first = await bulk(ofrep);
  ofrep.time.now += 1_800_000;
  t.equal((await bulk(ofrep)).etag, first.etag);
  ofrep.time.now += 1_800_000;
  t.not((await bulk(ofrep)).etag, first.etag, 'then the client learns its new URL');
});

test('behind a proxy with a path the URL is whole', async (t) => {
  const ofrep = await ofrepApp(t, { publicUrl: 'https://flags.example.com/base' });
  const { body } = await bulk(ofrep);
  t.match(body?.eventStreams[0], {
    type: 'sse',
    url: /^https:\/\/flags\.example\.com\/base\/ofrep\/v1\/events\?token=/,
    inactivityDelaySec: 120,
  });
});

test('heartbeats keep a stream; a revoked key ends it', async (t) => {
  const ofrep = await ofrepApp(t, { rulesets: FLAGS, streams: { heartbeatMs: 5 } });
  const stream = await listenFromNow(t, ofrep);
  await until('there are heartbeats', () => stream.text().includes(':\n\n:\n\n'));
  ofrep.revokeServerKey();
  await stream.ended;
  await until('nothing is kept of it', () => ofrep.streams.count() === 0);
});

const STREAM_LIMITS = [
  ['a process', { perProcess: 2 }, 503],
  ['a key', { perKey: 2 }, 429],
  ['an address', { perAddress: 2 }, 429],
] as const;

for (const [whose, limits, statusCode] of STREAM_LIMITS)
  test(`there is an end to the streams of ${whose}; one that ends makes room`, async (t) => {
    const ofrep = await ofrepApp(t, { rulesets: FLAGS, limits });
    const path = await streamPath(ofrep);
    await listen(t, ofrep, path);
    const second = await listen(t, ofrep, path);
    const third = await listen(t, ofrep, path);
    t.match(third.response, { statusCode, headers: { 'retry-after': /^\d+$/ } });
    await third.ended;
    t.match(JSON.parse(third.text()), { errorCode: 'GENERAL', errorDetails: /\w/, metadata: {} });
    second.response.destroy();
    await until('it is gone', () => ofrep.streams.count() === 1);
    t.equal((await listen(t, ofrep, path)).response.statusCode, 200);
  });

test('HEAD tells what GET would, and opens no stream', async (t) => {
  const { app, ...ofrep } = await ofrepApp(t, { rulesets: FLAGS });
  const url = await streamPath({ app, ...ofrep });
  const head = await app.inject({ method: 'HEAD', url });
  t.match(head, {
    statusCode: 200,
    body: '',
    headers: { 'content-type': 'text/event-stream; charset=utf-8' },
  });
  t.equal(ofrep.streams.count(), 0);
  t.equal((await app.inject({ method: 'HEAD', url: `${url}x` })).statusCode, 401);
  const post = await app.inject({ method: 'POST', url });
  t.match(post, { statusCode: 405, headers: { allow: 'GET, HEAD' } });
  t.match(post.json(), { errorCode: 'GENERAL' });
});

test('who does not read is let go, and the others hear of everything', async (t) => {
  const ofrep = await ofrepApp(t, { rulesets: FLAGS, streams: { maxBuffered: 1_000 } });
  const path = await streamPath(ofrep);
  const { hostname, port } = new URL(ofrep.url);
  const deaf = connect({ host: hostname, port: Number(port) });
  t.teardown(() => deaf.destroy());
  await once(deaf, 'connect');
  deaf.pause();
  deaf.write(`GET ${path} HTTP/1.1\r\nHost: here\r\n\r\n`);
  const stream = await listenFromNow(t, ofrep);
  await until('both are open', () => ofrep.streams.count() === 2);
  let nth = 0;
  await until('it is let go', async () => {
    for (let more = 0; more < 500; more += 1) {
      ofrep.publish(changed((nth += 1)));
      await new Promise(setImmediate);
    }
    return ofrep.streams.count() === 1;
  });
  const last = ofrep.publish(changed(0));
  await until('the other hears of the last', () => stream.events().at(-1)?.id === last);
});

test('a process that stops lets its clients go at once', async (t) => {
  const ofrep = await ofrepApp(t, { rulesets: FLAGS });
  const stream = await listenFromNow(t, ofrep);
  await ofrep.app.close();
  await stream.ended;
  t.equal(ofrep.streams.count(), 0);
});
