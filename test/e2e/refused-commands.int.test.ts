import { test } from 'tap';
import { type RefusedCommand } from '../../src/api/audit/refused-commands.js';
import { operationsDecider } from '../../src/commands/operations.js';
import { type RecordRefusals } from '../../src/commands/refusals.js';
import { rebuildCommand } from '../../src/cli/projections-commands.js';
import { refusedCommands } from '../../src/composition/refused-commands.js';
import { type OperationsEvent } from '../../src/domain/operations.js';
import { type CommandsRefused } from '../../src/domain/refusals.js';
import { loadConfig } from '../../src/config.js';
import { testLogger } from '../support/canary.js';
import { given } from '../support/given.js';
import { logIn, registerOwner } from '../support/people.js';
import { testService } from '../support/service.js';
import { until } from '../support/until.js';

type Entry = Readonly<{
  actor: Readonly<{ id: string; name: string | null }>;
  data: CommandsRefused['data'];
}>;

test('auditors see what known callers tried and were refused', async (t) => {
  const service = await testService(t);
  const robot = async (name: string): Promise<string> => {
    const body = { name, role: 'editor' };
    return (await service.post<{ token: string }>('/tokens', { body })).body.token;
  };
  const flags = '/projects/demo/flags';
  const body = { key: 'twice', type: 'boolean' };
  t.equal((await service.post(flags, { body })).status, 201);

  const careful = await robot('careful robot');
  const project = { body: { key: 'mine' } };
  const dryRun = await service.post('/projects?dryRun=true', { ...project, credential: careful });
  t.equal(dryRun.status, 403, 'a dry run is no attempt');
  const malformed = await service.post(flags, { body: { key: '' }, credential: careful });
  t.equal(malformed.status, 400);
  t.equal((await service.get('/tokens', { credential: careful })).status, 403);

  const credentials = await Promise.all(['rude', 'late', 'stale'].map(robot));
  const [rude = '', late = '', stale = ''] = credentials;
  t.equal((await service.post('/projects', { ...project, credential: rude })).status, 403);
  t.equal((await service.post(flags, { body, credential: late })).status, 409);
  const headers = { 'if-match': '"7"' };
  const archive = `${flags}/twice/archive`;
  t.equal((await service.post(archive, { headers, credential: stale })).status, 412);

  const refusalsOf = async (name: string): Promise<readonly Entry[]> => {
    const path = `/audit?type=CommandsRefused&actor=${encodeURIComponent(name)}`;
    return (await service.get<{ items?: readonly Entry[] }>(path)).body.items ?? [];
  };
  await until('the last refusal is in the log', async () => (await refusalsOf('stale')).length > 0);
  const path = '/api/v1/projects';
  const expected = {
    rude: { code: 'forbidden', status: 403, method: 'POST', path },
    late: { code: 'flag-exists', status: 409, method: 'POST', path: `${path}/demo/flags` },
    stale: { code: 'stale-revision', status: 412, method: 'POST', path: `/api/v1${archive}` },
  };
  for (const [name, refusal] of Object.entries(expected)) {
    const [entry] = await refusalsOf(name);
    t.equal(entry?.actor.name, name);
    t.strictSame(entry?.data.refusals, [{ ...refusal, count: 1 }]);
  }
  t.strictSame(await refusalsOf('careful'), []);

  await t.test('and what happened to the service itself', async (t) => {
    const { METRICS_TOKEN, ...changed } = {
      METRICS_TOKEN: 'kestrel-osprey-merlin',
      DRAIN_MS: '1',
    };
    type Item = Readonly<{ type: string; data: Record<string, unknown> }>;
    const events = async (...types: string[]): Promise<readonly Item[]> => {
      const head = await service.get<{ items: readonly Item[] }>(
        `/audit?category=operations&order=asc${types.map((type) => `&type=${type}`).join('')}`,
      );
      t.notMatch(head.text, METRICS_TOKEN);
      t.notMatch(head.text, service.environment['MASTER_KEY']);
      t.notMatch(head.text, service.stores.databaseUrl);
      return head.body.items;
    };
    const first = await service.startAnother({ METRICS_TOKEN });
    await first.recordStart();
    await first.stop({ signal: 'SIGTERM' });
    const second = await service.startAnother({ METRICS_TOKEN, ...changed });
    await second.recordStart();
    await second.stop();
    const third = await service.startAnother({ METRICS_TOKEN, ...changed });
    await third.recordStart();
    await third.stop({ error: 'out of cheese' });
    const config = loadConfig(service.environment);
    await rebuildCommand(config, service.stores, () => undefined, {
      signal: new AbortController().signal,
      replacesDifferent: false,
      adoptsLog: false,
      acceptsLoss: false,
    });
    await until('the rebuild is in the audit log', async () => {
      return (await events('ReadModelRebuilt')).length === 1;
    });
    t.match(await events('ServiceStarted', 'ServiceStopped'), [
      {
        type: 'ServiceStarted',
        data: {
          role: 'api',
          configuration: { ROLE: 'api', METRICS_TOKEN: 'set', DRAIN_MS: 0, DATABASE_URL: 'set' },
          changed: [],
          endedBefore: true,
          severity: 'info',
        },
      },
      { type: 'ServiceStopped', data: { cause: 'SIGTERM', severity: 'info' } },
      { data: { changed: ['DATA_DIRECTORY', 'DRAIN_MS'], endedBefore: true, severity: 'info' } },
      { data: { changed: ['DATA_DIRECTORY'], endedBefore: false, severity: 'warning' } },
      { type: 'ServiceStopped', data: { cause: 'out of cheese', severity: 'critical' } },
    ]);
    // Each process has a data directory of its own here, and so another key.
    t.match(
      (await events('KeyChanged')).map(({ data }) => data['cause']),
      ['first-seen', 'rotated', 'rotated'],
    );
    t.match(await events('ReadModelRebuilt'), [
      { data: { isEqual: true, isInUse: true, severity: 'info' } },
    ]);
    t.equal((await service.post('/audit/checkpoints')).status, 200);
    const { body: proof } = await service.get('/audit/verify');
    t.match(proof, { integrity: { verdict: 'holds' } });

    const owner = await registerOwner(service, 'elsewhere');
    const { accessToken } = await logIn(service, owner);
    const there = await service.get<{ items: unknown[] }>('/audit?category=operations', {
      credential: accessToken,
    });
    t.strictSame([there.status, there.body.items], [200, []], 'others do not see it');

    const guess = { currentPassword: 'is it this one?', newPassword: 'over the hills far away' };
    const guessed = await service.post('/auth/password', { credential: accessToken, body: guess });
    t.equal(guessed.status, 422);
    const seen = async () =>
      (
        await service.get<{ items: readonly Entry[] }>('/audit?type=CommandsRefused', {
          credential: accessToken,
        })
      ).body.items;
    await until('a guessed password is in the audit log', async () => (await seen()).length > 0);
    t.match(await seen(), [
      { actor: { id: owner.userId }, data: { refusals: [{ code: 'wrong-password', count: 1 }] } },
    ]);
  });
});

test('a process that starts again and again is recorded ten times an hour', async (t) => {
  const place = { organizationId: 'default', name: 'host.all' };
  const life = { version: '1', role: 'all', configuration: {} };
  const startAt = (minute: number) => ({
    ...{ run: `run ${minute}`, ...life },
    startedAt: new Date(minute * 60_000).toISOString(),
  });
  const started = (minute: number): OperationsEvent => ({
    type: 'ServiceStarted',
    data: { ...startAt(minute), changed: [], endedBefore: minute === 0, severity: 'info' },
  });
  const history = Array.from({ length: 10 }, (_, minute) => started(minute));
  const starting = (minute: number) =>
    ({
      type: 'RecordStart',
      data: {
        ...{ ...place, ...startAt(minute) },
        hourBefore: new Date((minute - 60) * 60_000).toISOString(),
      },
    }) as const;
  const after = given(t, operationsDecider, undefined)(...history);
  after.when(starting(59)).thenRecords();
  after.when({ type: 'RecordStop', data: { ...place, run: 'run 59' } }).thenRecords();
  const next = { ...startAt(61), changed: [], endedBefore: false, severity: 'warning' as const };
  after.when(starting(61)).thenRecords({ type: 'ServiceStarted', data: next });
});

test('a caller gets one event of bounded size, however much is refused', async (t) => {
  const written: CommandsRefused['data'][] = [];
  const refusals = async ({ command }: { command: RecordRefusals }) => {
    written.push(command.data);
    return { kind: 'recorded', revision: 0, position: 0, events: [] } as never;
  };
  const collecting = { firstMs: 60_000, everyMs: 60_000, kinds: 20, callers: 2 };
  const { note, stop } = refusedCommands({ refusals }, testLogger(), collecting);
  const refused = (nth: number): RefusedCommand => ({
    organizationId: 'acme',
    actor: { id: 'robot', type: 'apiKey', authMethod: 'api-token' },
    ip: '192.0.2.1',
    userAgent: undefined,
    requestId: 'r',
    refusal: { code: 'forbidden', status: 403, method: 'POST', path: `/${nth % 100}` },
  });
  for (let nth = 0; nth < 1_000; nth += 1) note(refused(nth));
  await stop();
  t.equal(written.length, 1);
  t.equal(written[0]?.refusals.length, 20);
  const counted = written[0]?.refusals.reduce((sum, { count }) => sum + count, 0);
  t.equal((counted ?? 0) + (written[0]?.more ?? 0), 1_000, 'every refusal is counted');
});
