import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { binaryEvent, type EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { test, type Test } from 'tap';
import { connect } from '../support/event-store.js';
import { testService, type TestService } from '../support/service.js';

type Written = Readonly<{ position: number }>;

/** A program of the build, on the service's stores. @returns its exit code and all that it printed */
const run = async ({ environment }: TestService, ...args: readonly string[]): Promise<string> => {
  const [program = '', ...rest] = args;
  const path = fileURLToPath(new URL(`../../dist/${program}.js`, import.meta.url));
  const child = spawn(process.execPath, [path, ...rest], {
    env: { ...process.env, ...environment },
  });
  const ended = once(child, 'close');
  const printed = (await Promise.all([text(child.stdout), text(child.stderr)])).join('');
  const [code] = (await ended) as [number];
  return `${code}\n${printed}`;
};

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
      t.strictSame((body as { differences: unknown }).differences, []);
      const rebuilt = await run(service, 'projections-cli', 'rebuild');
      t.match(rebuilt, /^0\n[^]*The rebuilt read model is equal\./, rebuilt);
      const verified = await run(service, 'verify-cli');
      t.match(verified, /^0\n/, verified);
    });

  await t.test('a flag whose stream somebody deletes for good is named', async (t) => {
    await client.tombstoneStream('flag-default:demo:switch');
    t.match(await service.post(`${PRODUCTION}/enable`), {
      status: 409,
      body: { type: 'urn:chronoflag:problem:stream-deleted' },
    });
    const { body } = await service.get('/projects/demo/verify');
    t.match(body, { agree: false, differences: [{ flag: 'switch', logRevision: null }] });
  });
});
