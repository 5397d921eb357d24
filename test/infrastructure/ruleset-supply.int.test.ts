import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { type ExistingFlag } from '../../src/domain/flag/flag.js';
import { redisRulesetFeed } from '../../src/infrastructure/redis/ruleset-feed.js';
import { rulesetDiskCopy } from '../../src/infrastructure/rulesets/disk-copy.js';
import { rulesetSupply } from '../../src/infrastructure/rulesets/supply.js';
import { type CurrentStates } from '../../src/queries/evaluation/current-states.js';
import { compileRegex } from '../../src/infrastructure/re2-regex-compiler.js';
import { rulesetMemory } from '../../src/queries/evaluation/ruleset-memory.js';
import { redisServer } from '../support/redis-server.js';
import { writtenSnapshot } from '../support/redis-snapshot.js';
import { aRuleset } from '../support/rulesets.js';
import { silentLog } from '../support/silent-log.js';
import { until } from '../support/until.js';

const PROD = 'acme:shop:production';
const ample = 20_000;

const flagAt = (revision: number, status: 'active' | 'deleted' = 'active'): ExistingFlag => {
  const { variants, configuration } = aRuleset('a');
  const content = {
    projectId: 'acme:shop',
    key: 'a',
    name: `a at ${revision}`,
    description: '',
    tags: [],
    type: 'boolean',
    variants,
    salt: 'a',
    defaults: configuration,
    environments: {},
  } as const;
  return status === 'active'
    ? { ...content, status }
    : { ...content, status, statusBefore: 'active' };
};

const environment = (key: string, status: 'active' | 'deleted') =>
  ({ key, name: key, description: '', color: '#000000', isProduction: false, status }) as const;

/** The read model at a position: one project with one flag, whose revision is the position. */
const statesAt = (position: number): CurrentStates => ({
  position,
  recordedAt: '2026-01-01T00:00:00.000Z',
  applied: position,
  projects: [
    {
      projectId: 'acme:shop',
      revision: 2,
      position: 2,
      state: {
        status: 'active',
        organizationId: 'acme',
        key: 'shop',
        name: 'Shop',
        description: '',
        environments: [environment('production', 'active'), environment('old', 'deleted')],
      },
    },
  ],
  segments: [],
  flags: [
    { projectId: 'acme:shop', key: 'a', revision: position, position, state: flagAt(position) },
    { projectId: 'acme:shop', key: 'b', revision: 1, position: 2, state: flagAt(1, 'deleted') },
  ],
});

const away = (): Promise<never> => Promise.reject(new Error('Postgres is away.'));

/** What all processes of this file read of Postgres. */
const readModel = { hasCaughtUp: true };

/** A process of its own: memory, feed and supply over what is shared. */
const aProcess = (t: Test, url: string, path: string, states: () => CurrentStates | undefined) => {
  const memory = rulesetMemory({ compileRegex });
  const log = silentLog();
  const feed = redisRulesetFeed({ url, prefix: 'supply', memory, log });
  const supply = rulesetSupply({
    memory,
    feed,
    log,
    diskCopy: rulesetDiskCopy(path, log),
    loadCurrentStates: async () => states() ?? away(),
    hasCaughtUp: () => Promise.resolve(readModel.hasCaughtUp),
    lastEvent: async () => states()?.position ?? (await away()),
  });
  t.teardown(() => supply.close());
  const revision = () => memory.current()?.environments.get(PROD)?.flags.get('a')?.ruleset.revision;
  return { memory, supply, revision };
};

test('rulesets come from wherever they can be had', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'ruleset-supply-'));
  const path = join(folder, 'rulesets');
  const server = await redisServer();
  const snapshot = writtenSnapshot(server.url, 'supply');
  t.teardown(async () => {
    await snapshot.close();
    await server.stop();
    await rm(folder, { recursive: true });
  });

  await t.test('with everything away at the first start there are none', async (t) => {
    const { memory, supply } = aProcess(t, server.url, path, () => undefined);
    await supply.start();
    t.equal(memory.current(), undefined);
    t.match(supply.status(), { source: 'none', isDegraded: true, position: null, ageMs: null });
  });

  await t.test('without Redis from Postgres, where changes still arrive', async (t) => {
    let position: number | undefined = 5;
    const states = () => (position === undefined ? undefined : statesAt(position));
    const { memory, supply, revision } = aProcess(t, server.url, path, states);
    await supply.start();
    t.match(supply.status(), { source: 'postgres', isDegraded: true, position: 5 });
    t.equal(revision(), 5);
    t.strictSame([...(memory.current()?.environments.keys() ?? [])], [PROD]);
    t.notOk(memory.current()?.environments.get(PROD)?.flags.has('b'));
    position = 6;
    t.ok(await memory.waitForPosition(6, ample));
    t.equal(revision(), 6);
    position = undefined;
    await supply.close();
    t.equal(revision(), 6);
  });

  await t.test('without Redis and Postgres from the copy on disk', async (t) => {
    const { supply, revision } = aProcess(t, server.url, path, () => undefined);
    await supply.start();
    t.match(supply.status(), { source: 'disk', isConnected: false, isDegraded: true, position: 6 });
    t.ok((supply.status().ageMs ?? -1) >= 0);
    t.equal(revision(), 6);
  });

  await t.test('from Redis as soon as it is there', async (t) => {
    const { memory, supply, revision } = aProcess(t, server.url, path, () => undefined);
    await supply.start();
    await server.start();
    await snapshot.refill(9, { [PROD]: [aRuleset('a', { revision: 9 })] });
    t.ok(await memory.waitForPosition(9, ample));
    t.equal(revision(), 9);
    await until('Redis is followed', () => supply.status().isConnected);
    t.match(supply.status(), { source: 'redis', isDegraded: false, position: 9 });
  });

  await t.test(
    'none of a new read model and its snapshot before they have caught up',
    async (t) => {
      readModel.hasCaughtUp = false;
      const none = join(folder, 'no-copy');
      const { memory, supply, revision } = aProcess(t, server.url, none, () => statesAt(12));
      await supply.start();
      t.equal(memory.current(), undefined);
      const first = new Promise((resolve) => {
        memory.subscribe(({ source, position }) => {
          resolve({ source, position });
        });
      });
      readModel.hasCaughtUp = true;
      t.strictSame(await first, { source: 'postgres', position: 12 }, 'not the snapshot at 9');
      t.equal(revision(), 12);
      await supply.close();
    },
  );

  await t.test('Postgres ahead of a Redis that is away, then Redis ahead again', async (t) => {
    const { memory, supply, revision } = aProcess(t, server.url, path, () => statesAt(12));
    await supply.start();
    t.equal(revision(), 9);
    await server.stop();
    t.ok(await memory.waitForPosition(12, ample));
    t.equal(supply.status().source, 'postgres');
    await server.start();
    await snapshot.refill(10, { [PROD]: [aRuleset('a', { revision: 10 })] });
    await snapshot.change(13, PROD, aRuleset('a', { revision: 13 }));
    t.ok(await memory.waitForPosition(13, ample));
    t.equal(supply.status().source, 'redis');
  });
});
