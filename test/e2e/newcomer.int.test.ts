import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { testService } from '../support/service.js';

type Recorded = Readonly<{ position: number; revision: number }>;
type History = Readonly<{
  items: readonly Readonly<{ type: string; recordedAt: string; position: number }>[];
}>;
type Evaluation = Readonly<{ variant: string; value: unknown; reason: string }>;

const DEMO = '/projects/demo';
const FLAG = `${DEMO}/flags/reviews`;
const PRODUCTION = `${FLAG}/environments/production`;
const FILE = readFileSync(new URL('../../examples/shop.flagd.json', import.meta.url));

const seeing = ({ position }: Recorded) => ({ headers: { 'x-min-position': String(position) } });

const because = (reason: string): string => `?reason=${encodeURIComponent(reason)}`;

test('a newcomer imports flags, rolls one out, loses it and gets it back', async (t) => {
  const service = await testService(t);
  const json = { 'content-type': 'application/json' };

  const imported = await service.post(`${DEMO}/import`, { raw: FILE, headers: json });
  t.match(imported, {
    status: 200,
    body: { summary: { created: 16, changed: 0, unchanged: 0, refused: 0 } },
  });

  const rollout = await service.put<Recorded>(
    `${PRODUCTION}/rollout${because('ticket 7: try it on a quarter')}`,
    { body: { percentage: 25 } },
  );
  t.match(rollout.body, { result: 'recorded' });

  const evaluate = async (recorded: Recorded): Promise<readonly Evaluation[]> => {
    const users = Array.from({ length: 200 }, (_, n) => `user-${n}`);
    const path = `${DEMO}/environments/production/evaluate/reviews`;
    const options = { ...seeing(recorded), credential: service.serverKey };
    return Promise.all(
      users.map(async (user) => {
        const { body } = await service.get<Evaluation>(`${path}?targetingKey=${user}`, options);
        return body;
      }),
    );
  };
  const before = await evaluate(rollout.body);
  const share = before.filter(({ value }) => value === true).length / before.length;
  t.ok(share > 0.15 && share < 0.35, `about a quarter of all users have it: ${share}`);
  t.ok(before.every(({ reason }) => reason === 'SPLIT'));

  const deletion = await service.delete<Recorded>(`${FLAG}${because('cleaning up')}`);
  const gone = await evaluate(deletion.body);
  t.ok(gone.every((one) => 'errorCode' in one && one.errorCode === 'FLAG_NOT_FOUND'));

  const { body: history } = await service.get<History>(`${FLAG}/history`, seeing(deletion.body));
  t.match(
    history.items.map(({ type }) => type),
    ['FlagDeleted', 'FlagRolloutChanged', 'FlagImported', 'FlagCreated'],
  );
  t.match(history.items[0], {
    actor: { type: 'apiKey', authMethod: 'admin-credential' },
    reason: 'cleaning up',
    ip: '127.0.0.1',
  });

  const asItWas = await service.get(`${FLAG}?position=${rollout.body.position}`);
  t.match(asItWas.body, {
    status: 'active',
    environments: { production: { enabled: true, fallthrough: { split: { total: 100_000 } } } },
  });
  t.match((await service.get(FLAG)).body, { status: 'deleted' });

  const dry = await service.post(`${FLAG}/restore?dryRun=true`);
  t.match(dry.body, { result: 'dry-run', events: [{ type: 'FlagRestored' }] });
  const restored = await service.post<Recorded>(`${FLAG}/restore${because('that was a mistake')}`);
  t.match(restored.body, { result: 'recorded', events: [{ type: 'FlagRestored' }] });
  t.strictSame(
    (await evaluate(restored.body)).map(({ variant }) => variant),
    before.map(({ variant }) => variant),
    'everyone gets what they had before',
  );
});

test('a flag is brought back as it was at a revision, a time or a position', async (t) => {
  const service = await testService(t);
  await service.post(`${DEMO}/flags`, {
    body: { key: 'reviews', type: 'boolean', name: 'first' },
  });
  const second = await service.patch<Recorded>(FLAG, { body: { name: 'second' } });
  const third = await service.patch<Recorded>(FLAG, { body: { name: 'third' } });
  const { body: history } = await service.get<History>(
    `${FLAG}/history?order=asc`,
    seeing(third.body),
  );
  const at = history.items[2]?.recordedAt;

  const nameAfter = async (path: string, body: unknown): Promise<unknown> => {
    const answer = await service.post<Recorded>(path, { body });
    t.equal(answer.status, 200);
    const flag = await service.get<{ name: string }>(FLAG, seeing(answer.body));
    return flag.body.name;
  };
  const remove = () => service.delete(FLAG);

  await remove();
  t.equal(await nameAfter(`${FLAG}/restore`, { revision: 0 }), 'first');
  await remove();
  t.equal(await nameAfter(`${FLAG}/restore`, { position: second.body.position }), 'second');
  await remove();
  t.equal(await nameAfter(`${FLAG}/restore`, { at }), 'third');

  t.equal(await nameAfter(`${FLAG}/revert`, { revision: 0 }), 'first');
  t.equal(await nameAfter(`${FLAG}/revert`, { at }), 'third');
  t.equal(await nameAfter(`${FLAG}/revert`, { position: second.body.position }), 'second');

  for (const moment of [{ position: Number.MAX_SAFE_INTEGER }, { at: '9999-01-01T00:00:00Z' }]) {
    const future = await service.post(`${FLAG}/revert`, { body: moment });
    t.match(future, { status: 422, body: { type: /moment-in-future$/ } });
  }
});
