// Proving the audit trail of a long log: signing a checkpoint over all of it, verifying all of it, and the proof of one
// event, with the service's memory meanwhile. 1 000 000 events, or another number with `--events=100000`.
import { EventStoreDBClient } from '@eventstore/db-client';
import { CHAIN_START, linkAfter, type StoredEvent } from '../src/domain/audit/chain.js';
import { runBench } from './support/bench.js';
import { call } from './support/http.js';
import { fillLog } from './support/long-log.js';
import { figure, median, quantile } from './support/numbers.js';
import { row, times } from './support/report.js';
import { build, residentMbOf, runScript, startBackends, startService } from './support/service.js';

const EVENTS = Number(/--events=(\d+)/.exec(process.argv.join(' '))?.[1] ?? 1_000_000);
const SETTLE_MS = 5_000;
const PROOFS = 50;
const CHECKPOINT_EVENTS = 1_000;
/** What verifying may add to the memory, whatever the length of the log. */
const EXTRA_MB = 400;

const readAll = async (client: EventStoreDBClient): Promise<number> => {
  let events = 0;
  for await (const { event } of client.readAll()) if (event !== undefined) events += 1;
  return events;
};

const secondsOf = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1_000;
};

/** Microseconds that one link of the chain takes. */
const linkMicroseconds = (): number => {
  const event: StoredEvent = {
    ...{ id: '018f2b7c-0000-4000-8000-000000000001', type: 'FlagRolloutChanged', revision: 3 },
    ...{ stream: 'flag-default:load-1:flag-0001', position: 1_000 },
    recordedAt: '2026-03-01T12:00:00.000Z',
    data: { environment: 'production', fallthrough: { split: { total: 100_000, weights: [] } } },
    metadata: { actor: { id: 'bench', type: 'user', authMethod: 'none' }, schemaVersion: 1 },
  };
  const count = 100_000;
  let link = CHAIN_START;
  const began = performance.now();
  for (let n = 0; n < count; n += 1) link = linkAfter(link, 'default', event);
  return ((performance.now() - began) * 1_000) / count;
};

/** The highest that resident memory was while something was done. */
const peakMbOf = async (pid: number, work: () => Promise<unknown>): Promise<number> => {
  let peak = residentMbOf(pid);
  const watch = setInterval(() => {
    peak = Math.max(peak, residentMbOf(pid));
  }, 50);
  try {
    await work();
  } finally {
    clearInterval(watch);
  }
  return peak;
};

type Audit = Readonly<{ items: readonly Readonly<{ position: number }>[] }>;
type Verified = Readonly<{ events: number; integrity: Readonly<{ verdict: string }> }>;

await runBench('audit', 900, async (bench) => {
  await build();
  const backends = await startBackends(bench);
  const client = EventStoreDBClient.connectionString(backends.eventStoreUrl);
  const { events } = await fillLog(client, EVENTS);
  bench.say(`filled with ${figure(events)} events`);
  const reading = await secondsOf(() => readAll(client));
  void client.dispose();
  const rebuilding = await secondsOf(() =>
    runScript(['dist/cli/projections.js', 'rebuild'], {
      EVENTSTORE_URL: backends.eventStoreUrl,
      DATABASE_URL: backends.databaseUrl,
    }),
  );
  bench.say(`read in ${figure(reading)} s, projected in ${figure(rebuilding)} s`);

  const { url, credential, pid } = await startService(bench, { backends });
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const audit = `${url}/api/v1/audit`;
  const signing = await secondsOf(() =>
    call(`${audit}/checkpoints`, { method: 'POST', credential }),
  );
  bench.say(`signed in ${figure(signing)} s`);
  const before = residentMbOf(pid);
  let verified: Verified | undefined;
  let verifying = NaN;
  const peak = await peakMbOf(pid, async () => {
    verifying = await secondsOf(async () => {
      verified = JSON.parse(await call(`${audit}/verify`, { credential })) as Verified;
    });
  });
  if (verified?.integrity.verdict !== 'holds') throw new Error(JSON.stringify(verified));
  bench.say(`verified ${figure(verified.events)} events in ${figure(verifying)} s`);

  const { items } = JSON.parse(await call(`${audit}?limit=${PROOFS}`, { credential })) as Audit;
  const proofs: number[] = [];
  for (const { position } of items)
    proofs.push(
      1_000 * (await secondsOf(() => call(`${audit}/events/${position}/proof`, { credential }))),
    );

  const log = `log of ${figure(events)} events`;
  const link = linkMicroseconds();
  const perEvent = (rebuilding * 1e6) / events;
  return [
    row('a link of the chain', {
      measured: `${figure(link)} µs`,
      reference: `a rebuild of the read model takes ${figure(perEvent)} µs per event`,
      ratio: times(link / perEvent),
    }),
    row(`a checkpoint over a ${log}`, { measured: `${figure(signing)} s` }),
    row(`verification of a ${log}`, {
      measured: `${figure(verifying)} s, ${figure(events / verifying)} events/s`,
      reference: `the client only reads $all ${figure(events / reading)} events/s`,
      ratio: times(verifying / reading),
    }),
    row('… memory of the process meanwhile', {
      measured: `${figure(peak)} MB at most`,
      reference: `${figure(before)} MB before`,
      ratio: times(peak / before),
      target: `≤ ${EXTRA_MB} MB more`,
      holds: peak - before <= EXTRA_MB,
    }),
    row(`proof of an event, ${log}, ${figure(CHECKPOINT_EVENTS)} events a checkpoint or all`, {
      measured: `p50 ${figure(median(proofs))} ms, p99 ${figure(quantile(proofs, 0.99))} ms`,
    }),
  ];
});
