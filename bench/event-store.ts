/** Throughput of the embedded event store with the real client, next to what its parts can do alone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { credentials, makeGenericClientConstructor } from '@grpc/grpc-js';
import { EventStoreDBClient, excludeSystemEvents, jsonEvent, START } from '@eventstore/db-client';
import Libsql from 'libsql';
import { freePort } from '../test/support/free-port.js';

const PHASE_MS = 4000;
const folder = mkdtempSync(join(tmpdir(), 'event-store-bench-'));
const port = await freePort();

type Row = { what: string; perSecond: number; serverCpuPercent?: number };
const rows: Row[] = [];

const server = spawn(
  process.execPath,
  ['dist/embedded/event-store/main.js', '--port', `${port}`, '--db', join(folder, 'log')],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
const [line] = (await once(createInterface(server.stdout), 'line')) as [string];
const client = EventStoreDBClient.connectionString(line.slice(line.indexOf('esdb://')));

/** Ticks of 10 ms the server has used; Linux only. */
const serverCpuMs = (): number => {
  const stat = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(stat[11]) + Number(stat[12])) * 10;
};

/** Runs `task` in `workers` loops for PHASE_MS; it returns how many units it did. */
const measure = async (what: string, workers: number, task: (n: number) => Promise<number>) => {
  const cpu = serverCpuMs();
  const start = performance.now();
  let done = 0;
  let next = 0;
  const loop = async () => {
    while (performance.now() - start < PHASE_MS) {
      const units = await task(next++);
      done += units;
    }
  };
  await Promise.all(Array.from({ length: workers }, loop));
  const elapsed = performance.now() - start;
  rows.push({
    what,
    perSecond: (done * 1000) / elapsed,
    serverCpuPercent: ((serverCpuMs() - cpu) * 100) / elapsed,
  });
};

const event = (n: number) =>
  jsonEvent({
    type: 'FlagEnabled',
    data: { flagKey: `flag-${n}`, environment: 'production', note: 'x'.repeat(150) },
    metadata: { actor: { id: 'bench', type: 'system' }, commandId: `command-${n}` },
  });

const echo = () => {
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

const bareInserts = (rowsPerCommit: number): number => {
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

rows.push({ what: 'bare SQLite, 1 row per commit', perSecond: bareInserts(1) });
rows.push({ what: 'bare SQLite, 32 rows per commit', perSecond: bareInserts(32) });
const ping = echo();
await measure('bare gRPC echo, sequential', 1, ping);
await measure('bare gRPC echo, 32 concurrent', 32, ping);
await measure('append, sequential', 1, async (n) => {
  await client.appendToStream(`seq-${n % 100}`, event(n));
  return 1;
});
await measure('append, 32 concurrent', 32, async (n) => {
  await client.appendToStream(`con-${n % 1000}`, event(n));
  return 1;
});
await measure('append 100 events at once, 4 concurrent (events)', 4, async (n) => {
  await client.appendToStream(
    `many-${n}`,
    Array.from({ length: 100 }, (_, i) => event(i)),
  );
  return 100;
});
await measure('read $all (events)', 1, () => consume(client.readAll({ maxCount: 50_000 }), 50_000));
await measure('catch-up subscription, filtered (events)', 1, () =>
  consume(client.subscribeToAll({ fromPosition: START, filter: excludeSystemEvents() }), 30_000),
);
await measure('read a stream of 100 (reads)', 8, async (n) => {
  await consume(client.readStream(`many-${n % 50}`), 101);
  return 1;
});

const echoRate = rows[3]?.perSecond ?? 1;
console.table(
  rows.map(({ what, perSecond, serverCpuPercent }) => ({
    what,
    'per second': Math.round(perSecond),
    'of 32 echoes': (perSecond / echoRate).toFixed(2),
    'server CPU %': serverCpuPercent === undefined ? '' : Math.round(serverCpuPercent),
  })),
);
await client.dispose();
server.kill();
await once(server, 'exit');
rmSync(folder, { recursive: true });
process.exit(0);
