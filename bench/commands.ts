// Durable commands a second over HTTP. References in the same run: appends of the same size through the client to the
// same event store, and single-row SQLite commits with their fsync on the same disk.
import { join } from 'node:path';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import Libsql from 'libsql';
import { runBench } from './support/bench.js';
import { adminOf, forEachOf } from './support/http.js';
import { figure, quantile, type Rate, rateOf } from './support/numbers.js';
import { type Row, row, times } from './support/report.js';
import { build, startBackends, startService } from './support/service.js';

const ROUNDS = 5;
const ROUND_MS = 1_500;
const FLAGS = 320;
const CONCURRENT = 32;

const event = (n: number) =>
  jsonEvent({
    type: 'BenchEvent',
    data: { environment: 'production', fallthrough: { note: 'x'.repeat(200), n } },
    metadata: { actor: { id: 'bench', type: 'system' }, note: 'x'.repeat(300) },
  });

const fsyncedCommits = (file: string) => {
  const db = new Libsql(file);
  db.exec('pragma journal_mode = wal');
  db.exec('pragma synchronous = full; create table e (p integer primary key, f blob) strict');
  const insert = db.prepare('insert into e (f) values (?)');
  const content = Buffer.alloc(700);
  return async (): Promise<unknown> => insert.run([content]);
};

await runBench('commands', 150, async (bench) => {
  await build();
  const backends = await startBackends(bench);
  const { url, credential } = await startService(bench, { backends });
  const client = EventStoreDBClient.connectionString(backends.eventStoreUrl);
  const admin = adminOf(url, credential);
  await forEachOf(FLAGS, (n) => admin.createFlag(`flag-${n}`));

  const percents = new Map<string, number>();
  const change = (flag: string) => {
    const percent = ((percents.get(flag) ?? 0) + 1) % 100;
    percents.set(flag, percent);
    return admin.changeRollout(flag, percent);
  };
  let created = 0;
  const made = (): number => (created += 1);
  const append = (n: number) => client.appendToStream(`bench-${n % FLAGS}`, event(n));
  const cases = {
    fsync: [1, fsyncedCommits(join(bench.folder, 'bare.db'))],
    append: [1, append],
    command: [1, (n: number) => change(`flag-${n % FLAGS}`)],
    appends: [CONCURRENT, append],
    commands: [CONCURRENT, (n: number) => change(`flag-${n % FLAGS}`)],
    oneFlag: [CONCURRENT, () => change('flag-0')],
    creates: [CONCURRENT, () => admin.createFlag(`made-${made()}`)],
  } as const;

  type Case = keyof typeof cases;
  const rates = new Map<Case, Rate[]>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of Object.keys(cases) as Case[]) {
      const [workers, task] = cases[name];
      const rate = await rateOf(workers, ROUND_MS, task);
      bench.say(`${name} ${figure(rate.perSecond)}/s`);
      rates.set(name, [...(rates.get(name) ?? []), rate]);
    }
  }
  const perSecond = (name: Case, share: number): number =>
    quantile(
      (rates.get(name) ?? []).map((rate) => rate.perSecond),
      share,
    );
  const compared = (what: string, name: Case, reference: Case, reach?: number): Row => {
    const [middle, best] = [perSecond(name, 0.5), perSecond(name, 1)];
    return row(what, {
      measured: `${figure(middle)}/s, best ${figure(best)}/s`,
      reference: `client append ${figure(perSecond(reference, 0.5))}/s`,
      ratio: times(middle / perSecond(reference, 0.5)),
      ...(reach !== undefined && { target: `≥ ${reach}/s`, holds: middle >= reach }),
    });
  };
  void client.dispose();
  return [
    compared('durable commands, one client', 'command', 'append', 300),
    compared('durable commands, 32 at a time, 320 flags', 'commands', 'appends', 1_500),
    compared('durable commands, 32 at a time, one flag', 'oneFlag', 'append'),
    compared('flags created, 32 at a time', 'creates', 'appends', 1_000),
    row('append through the client, one at a time', {
      measured: `${figure(perSecond('append', 0.5))}/s`,
      reference: `bare fsynced commit ${figure(perSecond('fsync', 0.5))}/s`,
      ratio: times(perSecond('append', 0.5) / perSecond('fsync', 0.5)),
    }),
  ];
});
