import { binaryEvent, type EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { test, type Test } from 'tap';
import { connect } from '../support/event-store.js';
import { runRebuild, runVerify } from '../support/programs.js';
import { testService, type TestService } from '../support/service.js';

type Written = Readonly<{ position: number }>;
type Reverted = Readonly<Record<'flags' | 'segments', readonly Written[]>>;

const FLAG = '/projects/demo/flags/switch';
const PRODUCTION = `${FLAG}/environments/production`;

const putBytes = (client: EventStoreDBClient, stream: string, data: Buffer) =>
  client.appendToStream(stream, binaryEvent({ type: 'FlagCreated', data }));

/** What other applications, and their owners, do to the log. */
const FOREIGN: readonly (readonly [string, (client: EventStoreDBClient) => Promise<unknown>])[] = [
  [
    'a hard delete of a stream of theirs',
    async (client) => {
      await client.appendToStream('orders-1', jsonEvent({ type: 'OrderPlaced', data: {} }));
      return client.tombstoneStream('orders-1');
    },
  ],
  [
    'a hard delete of a stream that is named like ours and never was',
    async (client) => {
      await client.tombstoneStream('flag-nobody:x:y');
      return client.tombstoneStream('flag-default:demo:never-was');
    },
  ],
  [
    'an event in a stream that begins like ours',
    (client) =>
      client.appendToStream('session-4711', jsonEvent({ type: 'UserLoggedIn', data: { a: 1 } })),
  ],
  [
    'binary data in a stream that is named like ours',
    (client) => putBytes(client, 'flag-default:demo:theirs', Buffer.from([0, 1, 2, 255])),
  ],
  [
    'broken JSON in a stream that is named like ours',
    (client) => putBytes(client, 'flag-default:demo:theirs', Buffer.from('{"broken')),
  ],
];

const writes = async (t: Test, service: TestService, isEnabled: boolean): Promise<number> => {
  const { status, body } = await service.post<Written>(
    `${PRODUCTION}/${isEnabled ? 'enable' : 'disable'}`,
  );
  t.match(status, /^20[01]$/, JSON.stringify(body));
  const headers = { 'x-min-position': String(body.position) };
  t.match(await service.get(FLAG, { headers }), {
    status: 200,
    body: { environments: { production: { enabled: isEnabled } } },
  });
  t.match(
    await service.send('POST', '/ofrep/v1/evaluate/flags/switch', {
      credential: service.serverKey,
      headers,
      body: { context: { targetingKey: 'anna' } },
    }),
    isEnabled ? { status: 200, body: { value: true } } : { status: 200, body: { value: false } },
  );
  return body.position;
};

/** Streams of ours that have events of ours. */
const OURS = [
  'organization-default',
  'project-default:demo',
  'flag-default:demo:switch',
  'flag-default:demo:late',
  'segment-default:demo:friends',
  'dependencies-default:demo',
] as const;

/** Another application writes into streams of ours: its own JSON, types that are named like ours or oddly, bytes. */
const writeInside = async (client: EventStoreDBClient): Promise<void> => {
  for (const stream of OURS) {
    await client.appendToStream(stream, [
      jsonEvent({ type: 'OrderPlaced', data: { total: 1 }, metadata: { commandId: 7 } }),
      jsonEvent({ type: 'FlagEnabled', data: { environment: 'production' } }),
      jsonEvent({ type: ' \u{1f525} ', data: [] as never }),
    ]);
    await putBytes(client, stream, Buffer.from('{"broken'));
  }
};

type Change = Readonly<{ path: string; before?: unknown; after?: unknown }>;
type History = Readonly<{
  items: readonly Readonly<{
    type: string;
    revision: number;
    recordedAt: string;
    changes: readonly Change[];
  }>[];
}>;

/** History, audit, past moments and differences of one flag or segment, which must tell the same. */
const tellsTheSame = async (
  t: Test,
  service: TestService,
  [path, filter]: readonly [path: string, filter: string],
  now: Readonly<{ headers: Readonly<Record<string, string>> }>,
): Promise<void> => {
  const { body } = await service.get<History>(`${path}/history?order=asc`, now);
  t.ok(body.items.length > 2);
  for (const [nth, { type, revision, recordedAt, changes }] of body.items.entries()) {
    const isTold = type === 'FlagImported' || changes.length > 0;
    t.ok(isTold, `${path}: ${type} at ${revision} says what it changed`);
    const { body: then } = await service.get(`${path}?revision=${revision}`);
    t.strictSame((await service.get(`${path}?revision=${revision}&source=log`)).body, then);
    const next = body.items[nth + 1];
    if (next === undefined || next.recordedAt > recordedAt)
      t.strictSame((await service.get(`${path}?at=${recordedAt}`)).body, then, 'at its time');
    const before = body.items[nth - 1];
    if (before === undefined) continue;
    const between = `from=revision:${before.revision}&to=revision:${revision}`;
    const { body: diff } = await service.get<Readonly<{ changes: readonly Change[] }>>(
      `${path}/diff?${between}`,
    );
    t.strictSame(diff.changes, changes, `${path}: ${type} as a difference`);
  }
  const audit = await service.get<Readonly<{ items: readonly object[] }>>(
    `/audit?order=asc&project=demo&${filter}&limit=100`,
  );
  t.match(
    audit.body.items.map((item) => (item as { changes: unknown }).changes),
    body.items.map(({ changes }) => changes),
  );
};

test('a log that other applications write into, too', async (t) => {
  const service = await testService(t);
  const client = connect(t, service.stores.eventStoreUrl);
  await service.post('/projects/demo/flags', { body: { key: 'switch', type: 'boolean' } });
  let isEnabled = true;
  await writes(t, service, isEnabled);
  await service.post('/audit/checkpoints');

  for (const [what, act] of FOREIGN)
    await t.test(`after ${what}`, async (t) => {
      await act(client);
      isEnabled = !isEnabled;
      const position = await writes(t, service, isEnabled);
      const { body } = await service.get('/projects/demo/verify', {
        headers: { 'x-min-position': String(position) },
      });
      t.match(body, { agree: true, differences: [] });
    });

  await t.test('events of others inside our streams', async (t) => {
    const { post, put, patch, get } = service;
    const late = '/projects/demo/flags/late';
    const friends = '/projects/demo/segments/friends';
    const file = { flags: { late: { state: 'ENABLED', variants: { on: true, off: false } } } };
    await putBytes(client, 'flag-default:demo:late', Buffer.from([1]));
    t.match(await post('/projects/demo/import?environment=production', { body: file }), {
      status: 200,
    });
    t.match(await post('/projects/demo/segments', { body: { key: 'friends' } }), { status: 201 });
    const rules = [
      { id: 'friends', clauses: [{ segments: ['friends'] }], serve: { variant: 'off' } },
    ];
    const refers = () => put(`${late}/environments/production/rules`, { body: { rules } });
    t.match(await refers(), { status: 200 });
    const switched = await post<Written>(`${PRODUCTION}/enable`);
    const seen = await get<Readonly<{ revision: number }>>(FLAG, {
      headers: { 'x-min-position': String(switched.body.position) },
    });

    for (const round of [1, 2]) {
      await writeInside(client);
      const name = `round ${round}`;
      const answers = [
        await patch(FLAG, {
          body: { name },
          headers: round === 1 ? { 'if-match': seen.headers.etag! } : {},
        }),
        await post(`${friends}/keys/add`, { body: { included: [`anna-${round}`] } }),
        await patch('/projects/demo', { body: { name } }),
        await put(`${late}/environments/production/rules`, { body: { rules: [] } }),
        await refers(),
        await patch('/organization', { body: { name } }),
        await post('/projects/demo/import?environment=production', { body: file }),
      ];
      for (const { status, body } of answers) t.match(status, /^20[01]$/, JSON.stringify(body));
      isEnabled = !isEnabled;
      await writes(t, service, isEnabled);
    }
    t.match(
      await patch(FLAG, { body: { name: 'x' }, headers: { 'if-match': seen.headers.etag! } }),
      {
        status: 412,
      },
    );

    const { body: head } = await post<Written>(`${friends}/keys/remove`, {
      body: { keys: ['anna-1'] },
    });
    const now = { headers: { 'x-min-position': String(head.position) } };
    t.match(await get('/parked-streams', now), { body: { count: 0 } });
    t.match(await get(friends, now), { body: { included: ['anna-2'] } });
    for (const [path, filter] of [
      [FLAG, 'flag=switch'],
      [late, 'flag=late'],
      [friends, 'segment=friends'],
    ] as const) {
      await tellsTheSame(t, service, [path, filter], now);
    }
    const revision = seen.body.revision + 1;
    const none = { status: 404, body: { type: 'urn:chronoflag:problem:revision-not-found' } };
    t.match(
      await get(`${FLAG}?revision=${revision}`),
      none,
      'a revision of others is none of ours',
    );
    t.match(await post(`${FLAG}/revert`, { body: { revision } }), none);
    t.match(await post(`${FLAG}/revert`, { body: { revision: seen.body.revision } }), {
      status: 200,
    });
    t.match(await post(`${PRODUCTION}/disable`), { status: 200 });
    const reverted = await post<Reverted>('/projects/demo/environments/production/revert', {
      body: { position: switched.body.position },
    });
    t.equal(reverted.status, 200, reverted.text);
    const places = [...reverted.body.flags, ...reverted.body.segments];
    const last = Math.max(...places.map(({ position }) => position));
    const after = { headers: { 'x-min-position': String(last) } };
    t.match((await get(FLAG, after)).body, { environments: { production: { enabled: true } } });
    t.match((await get(friends, after)).body, { included: [] });
    isEnabled = !isEnabled;
    await writes(t, service, isEnabled);
    const { body: verified } = await get('/projects/demo/verify', now);
    t.match(verified, { agree: true, differences: [] }, JSON.stringify(verified));
    const rebuilt = await runRebuild(service.environment);
    t.match(rebuilt, /^0\n[^]*The rebuilt read model is equal\./, rebuilt);
    const proven = await runVerify(service.environment);
    t.match(proven, /^0\n/, proven);
  });

  await t.test('a flag whose stream somebody deletes for good is named', async (t) => {
    await client.tombstoneStream('flag-default:demo:switch');
    t.match(await service.post(`${PRODUCTION}/${isEnabled ? 'disable' : 'enable'}`), {
      status: 409,
      body: { type: 'urn:chronoflag:problem:stream-deleted' },
    });
    const { body } = await service.get('/projects/demo/verify');
    const named = { differences: [], deleted: ['flag-default:demo:switch'] };
    t.match(body, {
      agree: false,
      differences: [{ flag: 'switch', logRevision: null }],
      compared: named,
    });
    t.match(await service.get('/audit/verify'), {
      status: 200,
      body: { stores: { readModel: named } },
    });
    const verified = await runVerify(service.environment);
    t.match(verified, /^1\n[^]*deleted for good in the event store: flag-default:demo:switch/);
  });
});

test('while a neighbour writes, what waits for the end of the log waits for ours', async (t) => {
  const service = await testService(t);
  const client = connect(t, service.stores.eventStoreUrl);
  const order = () => jsonEvent({ type: 'OrderPlaced', data: {} });
  let isOver = false;
  const chatter = async (): Promise<void> => {
    while (!isOver) await client.appendToStream('orders-9', [order(), order(), order()]);
  };
  await service.post('/projects/demo/flags', { body: { key: 'switch', type: 'boolean' } });
  const chattering = chatter();
  t.teardown(async () => {
    isOver = true;
    await chattering;
  });

  await t.test('commands, dry runs and personal data are done', async (t) => {
    await writes(t, service, true);
    const value = 'ann@example.com';
    t.match(await service.post('/personal-data/export', { body: { value } }), { status: 200 });
    t.match(await service.post('/personal-data/erase', { body: { value } }), { status: 200 });
    const environments = '/projects/demo/environments';
    t.match(
      await service.post(`${environments}/production/revert?dryRun=true`, {
        body: { at: new Date().toISOString() },
      }),
      { status: 200 },
    );
    t.match(
      await service.post(`${environments}/staging/promote?dryRun=true`, {
        body: { to: 'production' },
      }),
      { status: 200 },
    );
  });

  isOver = true;
  await chattering;
  await t.test('the position of a last event of theirs is reached, none beyond it', async (t) => {
    const { position } = await client.appendToStream('orders-9', order());
    const last = Number(position?.commit);
    const at = (head: number) => ({ 'x-min-position': String(head) });
    const evaluate = (headers: Readonly<Record<string, string>>) =>
      service.get('/projects/demo/environments/production/evaluate/switch?targetingKey=anna', {
        ...{ credential: service.serverKey, headers },
      });
    t.match(await service.get(FLAG, { headers: at(last) }), { status: 200 });
    t.match(await evaluate(at(last)), { status: 200, body: { value: true } });
    t.match(await service.get(`${FLAG}?position=${last}`), {
      status: 200,
      body: { environments: { production: { enabled: true } } },
    });
    const reached = /position-not-reached/;
    t.match(await service.get(FLAG, { headers: at(last + 1) }), { status: 503, text: reached });
    t.match(await evaluate(at(last + 1)), { status: 503 });
    t.match(await service.get(`${FLAG}?position=${last + 1}`), { status: 422 });
  });
});
