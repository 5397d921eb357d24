// Throughput of the embedded event store with the real client, next to what its parts can do alone: gRPC calls that do
// nothing, and SQLite commits with their fsync.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { credentials, makeGenericClientConstructor } from '@grpc/grpc-js';
import { EventStoreDBClient, excludeSystemEvents, jsonEvent, START } from '@eventstore/db-client';
import Libsql from 'libsql';
import { runBench } from './support/bench.js';
import { figure } from './support/numbers.js';
import { type Row, row, times } from './support/report.js';
import { build, cpuMsOf } from './support/service.js';

const PHASE_MS = 3000;

const event = (n: number) =>
  jsonEvent({
    type: 'FlagEnabled',
    data: { flagKey: `flag-${n}`, environment: 'production', note: 'x'.repeat(150) },
    metadata: { actor: { id: 'bench', type: 'system' }, commandId: `command-${n}` },
  });

const echo = (port: number) => {
  const Client = makeGenericClientConstructor(
    {
      read: {
        path: '/event_store.client.server_features.ServerFeatures/GetSupportedMethods',
        requestStream: false,
        responseStream: false,
        requestSerialize: (value: Buffer) => value,
        requestDeserialize: (value: Buffer) => value,
        responseSerialize: (value: Buffer) => value,
        responseDeserialize: (value: Buffer) => value,
      },
    },
    'ServerFeatures',
  );
  const raw = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const call = raw['read'] as (request: Buffer, reply: (error: Error | null) => void) => void;
  return () =>
    new Promise<number>((resolve, reject) => {
      call.call(raw, Buffer.alloc(0), (error) => {
        if (error) reject(error);
        else resolve(1);
      });
    });
};

const bareInserts = (folder: string, rowsPerCommit: number): number => {
  const db = new Libsql(join(folder, `bare-${rowsPerCommit}.db`));
  db.exec('pragma journal_mode = wal');
  db.exec('pragma synchronous = full; create table e (p integer primary key, f blob) strict');
  const insert = db.prepare('insert into e (f) values (?)');
  const start = performance.now();
  let done = 0;
  for (; performance.now() - start < PHASE_MS / 2; done += rowsPerCommit) {
    db.exec('begin immediate');
    for (let n = 0; n < rowsPerCommit; n++) insert.run([Buffer.alloc(400)]);
    db.exec('commit');
  }
  return (done * 1000) / (performance.now() - start);
};

const consume = async (events: AsyncIterable<unknown>, limit: number): Promise<number> => {
  let seen = 0;
  for await (const event of events) if (event !== undefined && ++seen === limit) break;
  return seen;
};

/** Runs `task` in `workers` loops for PHASE_MS; it returns how many units it did. */
const perSecondOf = async (
  workers: number,
  task: (n: number) => Promise<number>,
): Promise<number> => {
  const start = performance.now();
  let done = 0;
  let next = 0;
  const loop = async (): Promise<void> => {
    while (performance.now() - start < PHASE_MS) {
      const units = await task(next++);
      done += units;
    }
  };
  await Promise.all(Array.from({ length: workers }, loop));
  return (done * 1000) / (performance.now() - start);
};

await runBench('event-store', 90, async (bench) => {
  await build();
  const server = spawn(
    process.execPath,
    ['dist/embedded/event-store/main.js', '--port', '0', '--db', join(bench.folder, 'log')],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(server, 'exit');
  bench.atEnd(async () => {
    server.kill();
    await ended;
  });
  const [line] = (await once(createInterface(server.stdout), 'line')) as [string];
  const url = line.slice(line.indexOf('esdb://'));
  const client = EventStoreDBClient.connectionString(url);
  const ping = echo(Number(new URL(url).port));

  const rows: Row[] = [];
  const measure = async (
    what: string,
    workers: number,
    task: (n: number) => Promise<number>,
    reference?: readonly [string, number],
  ): Promise<number> => {
    const before = cpuMsOf(server.pid ?? 0);
    const began = performance.now();
    const perSecond = await perSecondOf(workers, task);
    const cpu = ((cpuMsOf(server.pid ?? 0) - before) * 100) / (performance.now() - began);
    const measured = `${figure(perSecond)}/s, server at ${Math.round(cpu)} % of a core`;
    const compared = reference && {
      reference: `${reference[0]} ${figure(reference[1])}/s`,
      ratio: times(perSecond / reference[1]),
    };
    rows.push(row(`event store: ${what}`, { measured, ...compared }));
    bench.say(`${what}: ${measured}`);
    return perSecond;
  };

  const [single, grouped] = [bareInserts(bench.folder, 1), bareInserts(bench.folder, 32)];
  const oneCall = await measure('gRPC that does nothing, one at a time', 1, ping);
  const calls = await measure('gRPC that does nothing, 32 at a time', 32, ping);
  // What one append cannot be faster than: a call, then a commit.
  const callAndCommit = 1 / (1 / oneCall + 1 / single);
  await measure(
    'append, one at a time',
    1,
    async (n) => {
      await client.appendToStream(`seq-${n % 100}`, event(n));
      return 1;
    },
    ['a call and a bare fsynced commit', callAndCommit],
  );
  await measure(
    'append, 32 at a time',
    32,
    async (n) => {
      await client.appendToStream(`con-${n % 1000}`, event(n));
      return 1;
    },
    ['gRPC that does nothing', calls],
  );
  await measure(
    'append of 100 events, 4 at a time (events)',
    4,
    async (n) => {
      await client.appendToStream(
        `many-${n}`,
        Array.from({ length: 100 }, (_, i) => event(i)),
      );
      return 100;
    },
    ['bare SQLite, 32 rows a commit', grouped],
  );
  const stored = await consume(client.readAll(), Infinity);
  await measure('read $all (events)', 1, () =>
    consume(client.readAll({ maxCount: stored }), Infinity),
  );
  await measure('catch-up subscription, filtered (events)', 1, () =>
    consume(
      client.subscribeToAll({ fromPosition: START, filter: excludeSystemEvents() }),
      stored - 1, // all but the one system event
    ),
  );
  await measure('read of a stream of 100 (reads)', 8, async (n) => {
    await consume(client.readStream(`many-${n % 10}`), Infinity);
    return 1;
  });
  void client.dispose();
  return rows;
});
