import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'tap';
import { tcpProxy } from '../faults/support/tcp-proxy.js';
import { startStore } from '../support/event-store.js';
import { testService } from '../support/service.js';

/** Each way: an answer takes twice as long. */
const WAY_MS = 200;
const STALL_MS = 1_000;

const boolean = (key: string) => ({
  key,
  type: 'boolean',
  variants: [
    { name: 'on', value: true },
    { name: 'off', value: false },
  ],
  defaultVariant: 'on',
  offVariant: 'off',
});

test('with its default time limits a service bears distance and stalls', async (t) => {
  const { store } = await startStore(t);
  const proxy = await tcpProxy(store.port);
  t.teardown(proxy.close);
  const service = await testService(t, {
    EVENTSTORE_URL: `esdb://127.0.0.1:${proxy.port}?tls=false`,
  });
  const flags = '/projects/demo/flags';
  const ready = async (): Promise<number> => (await fetch(`${service.url}/ready`)).status;

  await t.test('a store 400 ms away', async (t) => {
    proxy.delay(WAY_MS);
    const answers = [
      await service.post('/projects', { body: { key: 'far', name: 'Far' } }),
      await service.post(flags, { body: boolean('far') }),
      await service.post('/projects/demo/segments', { body: { key: 'far', name: 'Far' } }),
      await service.post(`${flags}/far/environments/production/enable`),
      await service.post(`${flags}/far/copy`, { body: { key: 'further' } }),
      await service.delete(`${flags}/further`),
    ];
    for (const { status, text } of answers) t.ok(status < 300, text);
    const all = [1, 2, 3, 4, 5, 6, 7, 8].map((nth) =>
      service.post(flags, { body: boolean(`far-${nth}`) }),
    );
    for (const { status, text } of await Promise.all(all)) t.equal(status, 201, text);
    t.equal(await ready(), 200);
    proxy.delay(0);
  });

  await t.test('a stall of a second', async (t) => {
    await proxy.turn('silent');
    const commands = [1, 2, 3, 4].map((nth) =>
      service.post(flags, { body: boolean(`stalled-${nth}`) }),
    );
    // The length of the fault.
    await delay(STALL_MS);
    await proxy.turn('pass');
    for (const { status, text } of await Promise.all(commands)) t.equal(status, 201, text);
  });
});
