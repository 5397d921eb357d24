import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { test } from 'tap';
import { metadataOf } from '../support/histories.js';
import { until } from '../support/until.js';
import { PLACE } from './support/load.js';
import { readLog } from './support/observe.js';
import { HANGING_MS, startScenario, VARIANTS } from './support/scenario.js';
import { request } from './support/service.js';

const deep = (depth: number): string => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);

/** JSON texts of a body that a read model could not store, or that would be stored as something else. */
const REFUSED: Readonly<Record<string, string>> = {
  'U+0000': String.raw`{"description":"a\u0000b"}`,
  'half a surrogate pair': String.raw`{"description":"a\ud800b"}`,
  'deep nesting': `{"description":${deep(6_000)}}`,
  'a number beyond doubles': '{"description":"x","tags":1e400}',
  'a key that is a prototype': '{"__proto__":{"description":"x"}}',
};

const nested = (depth: number): Record<string, unknown> =>
  JSON.parse(deep(depth)) as Record<string, unknown>;

/** Events that someone wrote past the API: type, data, schema version. */
const STORED = {
  'an unknown type': ['FlagTeleported', {}, 1],
  'an unknown version': ['FlagArchived', {}, 99],
  'U+0000': ['FlagDetailsChanged', { name: 'a\u0000b', description: '', tags: [] }, 1],
  'half a surrogate pair': [
    'FlagDetailsChanged',
    { name: 'a\ud800b', description: '', tags: [] },
    1,
  ],
  'deep nesting': ['FlagDetailsChanged', nested(3_000), 1],
} as const;

test('poison', async (t) => {
  const scenario = await startScenario(t);
  const { service, servers, client } = scenario;

  await t.test('what could poison the read model is refused at the API', async (t) => {
    const before = (await readLog(servers)).length;
    for (const [name, body] of Object.entries(REFUSED)) {
      const { status, ms } = await request(`${service.url}${PLACE}/flags/flag-0`, {
        method: 'PATCH',
        headers: {
          authorization: `Bearer ${client.credential}`,
          'content-type': 'application/json',
        },
        body,
      });
      t.equal(status, 400, name);
      t.ok(ms < HANGING_MS);
    }
    t.equal((await readLog(servers)).length, before, 'and never stored');
  });

  await t.test('what is in the log all the same parks its stream, nothing else', async (t) => {
    const store = EventStoreDBClient.connectionString(servers.eventStore.directUrl);
    t.teardown(() => store.dispose());
    for (const [nth, [type, data, schemaVersion]] of Object.values(STORED).entries())
      await store.appendToStream(
        `flag-default:demo:flag-${nth + 1}`,
        jsonEvent({ type, data, metadata: { ...metadataOf(1), schemaVersion } }),
      );
    const stored = Object.keys(STORED).length;
    const isTold = async (): Promise<boolean> => {
      const { parts } = await service.ready();
      const counts = parts.map(({ details }) => details['parkedStreams']);
      return counts.filter((count) => count === stored).length === 2;
    };
    await until('/ready tells of it', isTold);
    const ready = await service.ready();
    t.equal(ready.status, 'degraded');
    const part = await service.part('read_model');
    t.match(part, {
      isReady: true,
      details: { state: 'live', parked: [{ type: 'FlagTeleported' }] },
    });
    t.notMatch(JSON.stringify(ready), 'flag-1', 'which flags they are, is for admins');
    const listed = await client.send('GET', '/api/v1/parked-streams');
    t.match(listed.body, { count: stored, items: [{ stream: 'flag-default:demo:flag-1' }] });
    t.equal((await client.evaluate('flag-1')).status, 200, 'evaluation goes on');

    const path = `${PLACE}/flags/flag-0/environments/production/fallthrough`;
    const command = await client.send('PUT', path, { body: { variant: VARIANTS[3] } });
    t.equal(command.status, 200, 'commands on other flags go on');
    const { position } = command.body as { position: number };
    await until('and both projections have them', async () => {
      const { parts } = await service.ready();
      const positions = parts.map(({ details }) => Number(details['position'] ?? -1));
      return positions.filter((at) => at >= position).length >= 2;
    });

    await service.kill();
    await service.start();
    await until('it is told after a restart, too', isTold);
    t.equal((await client.evaluate('flag-1')).status, 200, 'and evaluation goes on');
    const list = await client.send('GET', `${PLACE}/flags`);
    t.equal(list.status, 200, 'queries answer');
  });
});
