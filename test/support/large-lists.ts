import pg from 'pg';
import { type Test } from 'tap';
import { type Answer } from './http-client.js';
import { type TestService } from './service.js';
import { until } from './until.js';

type Done = Readonly<{ position: number; revision: number; events: readonly unknown[] }>;
type Segment = Readonly<{ included: readonly string[]; excluded: readonly string[] }>;

const SEGMENT = '/projects/demo/segments/crowd';

const keys = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => `user-${n}`);

const seen = ({ body }: Answer<Done>) => ({
  headers: { 'x-min-position': String(body.position) },
});

/** Sends it until it is not told to come again. @returns the last answer, and the codes of those before */
const untilDone = async <B>(send: () => Promise<Answer<B>>) => {
  const codes: unknown[] = [];
  for (;;) {
    const answer = await send();
    if (answer.status !== 503) return { answer, codes };
    codes.push((answer.body as { type?: unknown }).type);
  }
};

const NOT_STARTED = 'urn:chronoflag:problem:command-not-started';

/** A list that is as long as it may be, at the first try; edited, and read in every way. */
export const longSegment = async (t: Test, service: TestService, count: number): Promise<void> => {
  const { get, post } = service;
  const made = await post<Done>('/projects/demo/segments', {
    body: { key: 'crowd', included: keys(count) },
  });
  t.equal(made.status, 201, made.text.slice(0, 300));
  const added = await post<Done>(`${SEGMENT}/keys/add`, { body: { excluded: ['user-7'] } });
  t.equal(added.body.events.length, 2);
  const edited = await post<Done>(`${SEGMENT}/keys/remove`, { body: { keys: ['user-8'] } });
  t.ok(edited.text.length < 2_000, 'an edit of one key is a small answer');

  const { answer: now } = await untilDone(() => get<Segment>(SEGMENT, seen(edited)));
  t.strictSame([now.body.included.length, now.body.excluded], [count - 2, ['user-7']]);
  const then = await get<Segment>(`${SEGMENT}?position=${made.body.position}`);
  t.strictSame(then.body.included, keys(count));
  for (const [path, shown] of [
    [SEGMENT, now],
    [`${SEGMENT}?position=${made.body.position}`, then],
  ] as const) {
    const logged = await get(`${path}${path.includes('?') ? '&' : '?'}source=log`);
    t.equal(logged.text, shown.text, 'the log says the same');
  }
  t.match((await get('/projects/demo/verify')).body, { agree: true });

  const reverted = await post<Done>(`${SEGMENT}/revert`, {
    body: { position: made.body.position },
  });
  t.equal(reverted.status, 200, reverted.text.slice(0, 300));
  t.ok(reverted.text.length < 2_000, 'a revert tells what changes');
  const { answer: back } = await untilDone(() => get<Segment>(SEGMENT, seen(reverted)));
  t.strictSame([back.body.included.toSorted(), back.body.excluded], [keys(count).toSorted(), []]);
};

/** As many targets as a flag may have, at the first try. */
export const manyTargets = async (t: Test, service: TestService, count: number): Promise<void> => {
  const { post, put } = service;
  const place = '/projects/demo/flags/many/environments/production';
  await post('/projects/demo/flags', { body: { key: 'many', type: 'boolean' } });
  await post(`${place}/enable`);
  const list = [{ variant: 'off', keys: keys(count) }];
  const written = await put<Done>(`${place}/targets`, { body: { targets: list } });
  t.equal(written.status, 200, written.text.slice(0, 300));
  const { answer: evaluated } = await untilDone(() =>
    post<{ value: boolean }>('/projects/demo/environments/production/evaluate/many', {
      credential: service.serverKey,
      body: { context: { targetingKey: `user-${count - 1}` } },
      ...seen(written),
    }),
  );
  t.equal(evaluated.body.value, false, evaluated.text);
};

const hasSnapshot = async ({ stores }: TestService, stream: string): Promise<boolean> => {
  const client = new pg.Client({ connectionString: stores.databaseUrl });
  await client.connect();
  const { rowCount } = await client.query(
    'select from chronoflag.stream_snapshot s where s.stream = $1',
    [stream],
  );
  await client.end();
  return rowCount === 1;
};

/** A segment that is edited again and again, and a flag whose variants are large; then a process that knows neither. */
export const longHistories = async (
  t: Test,
  service: TestService,
  size: Readonly<{ keys: number; edits: number; versions: number }>,
): Promise<void> => {
  const { post, put } = service;
  const edited = '/projects/demo/segments/edited';
  await post('/projects/demo/segments', { body: { key: 'edited', included: keys(size.keys) } });
  for (let nth = 0; nth < size.edits; nth += 1) {
    const done = await post(`${edited}/keys/add`, { body: { included: [`more-${nth}`] } });
    if (done.status !== 200) t.equal(done.status, 200, done.text);
  }
  const variantsOf = (nth: number) =>
    'a b c d e f g h i'.split(' ').map((name) => ({ name, value: `${nth}${name.repeat(99_000)}` }));
  await post('/projects/demo/flags', {
    body: { key: 'large', type: 'string', variants: variantsOf(0) },
  });
  for (let nth = 1; nth < size.versions; nth += 1) {
    const done = await put('/projects/demo/flags/large/variants', {
      body: { variants: variantsOf(nth) },
    });
    if (done.status !== 200) t.equal(done.status, 200, done.text.slice(0, 300));
  }
  await until('there is a snapshot of the flag', () =>
    hasSnapshot(service, 'flag-default:demo:large'),
  );
  const cold = await service.startAnother();
  for (const send of [
    () => cold.post(`${edited}/keys/add`, { body: { included: ['last'] } }),
    () => cold.post('/projects/demo/flags/large/environments/production/enable'),
    () => cold.post('/projects/demo/flags/large/revert', { body: { revision: 0 } }),
  ]) {
    const { answer, codes } = await untilDone(send);
    t.equal(answer.status, 200, answer.text.slice(0, 300));
    t.strictSame(
      [...new Set(codes)].filter((code) => code !== NOT_STARTED),
      [],
    );
  }
  t.equal((await cold.get('/projects/demo/flags/large?source=log')).status, 200);
  const verified = await cold.get('/projects/demo/verify');
  t.match(verified.body, { agree: true }, verified.text.slice(0, 300));
};
