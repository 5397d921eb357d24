import { test } from 'tap';
import { type RefusedCommand } from '../../src/api/edge/refused-commands.js';
import { type RecordRefusals } from '../../src/commands/refusals-decider.js';
import { refusedCommands } from '../../src/composition/refused-commands.js';
import { type CommandsRefused } from '../../src/domain/refusals.js';
import { testLogger } from '../support/canary.js';
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
