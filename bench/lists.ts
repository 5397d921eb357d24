// A list of 18 flags, and one flag, asked for by 50 clients of the admin API, against `/health` of the same process: as
// fast as it goes, and 458 times a second, where this product promises 8 ms on average and 17.8 ms for 95 %.
import { runBench } from './support/bench.js';
import { adminOf, forEachOf } from './support/http.js';
import { load, paced } from './support/load.js';
import { figure, quantile } from './support/numbers.js';
import { type Row, row, times } from './support/report.js';
import { build, startBackends, startService } from './support/service.js';

const FLAGS = 18;
const CLIENTS = 50;
const ROUNDS = 3;
const SECONDS = 3;
const PER_SECOND = 458;
const MEAN_MS = 8;
const P95_MS = 17.8;

const PACE = { connections: CLIENTS, perSecond: PER_SECOND, seconds: 8 } as const;

await runBench('lists', 90, async (bench) => {
  await build();
  const backends = await startBackends(bench);
  const { url, credential } = await startService(bench, { backends });
  const admin = adminOf(url, credential);
  await forEachOf(FLAGS, (n) => admin.createFlag(`flag-${n}`));

  const paths = {
    health: `${url}/health`,
    list: `${admin.project}/flags`,
    flag: `${admin.project}/flags/flag-1`,
  } as const;
  type Path = keyof typeof paths;
  const rates = new Map<Path, number[]>();
  const latest = new Map<Path, number>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const path of Object.keys(paths) as Path[]) {
      const { perSecond, p99Ms } = await load({
        url: paths[path],
        credential,
        connections: CLIENTS,
        seconds: SECONDS,
      });
      bench.say(`${path} ${figure(perSecond)}/s, p99 ${figure(p99Ms)} ms`);
      rates.set(path, [...(rates.get(path) ?? []), perSecond]);
      latest.set(path, p99Ms);
    }
  }
  const calm = {
    health: await paced({ url: paths.health, credential, ...PACE }),
    list: await paced({ url: paths.list, credential, ...PACE }),
  };
  const perSecond = (path: Path): number => quantile(rates.get(path) ?? [], 0.5);
  const meanMs = (path: Path): string => figure((CLIENTS * 1_000) / perSecond(path));
  const compared = (what: string, path: Path): Row =>
    row(what, {
      measured: `${figure(perSecond(path))}/s, mean ${meanMs(path)} ms, p99 ${figure(latest.get(path) ?? NaN)} ms`,
      reference: `/health ${figure(perSecond('health'))}/s, mean ${meanMs('health')} ms`,
      ratio: times(perSecond('health') / perSecond(path)),
    });
  return [
    row(`list of ${FLAGS} flags, ${CLIENTS} clients, ${PER_SECOND}/s`, {
      measured: `mean ${figure(calm.list.meanMs)} ms, p97.5 ${figure(calm.list.p975Ms)} ms`,
      reference: `/health mean ${figure(calm.health.meanMs)} ms, p97.5 ${figure(calm.health.p975Ms)} ms`,
      ratio: times(calm.list.meanMs / calm.health.meanMs),
      target: `mean ≤ ${MEAN_MS} ms, p95 ≤ ${P95_MS} ms, ≤ 2x`,
      holds:
        calm.list.meanMs <= Math.min(MEAN_MS, 2 * calm.health.meanMs) && calm.list.p975Ms <= P95_MS,
    }),
    compared(`list of ${FLAGS} flags, ${CLIENTS} clients`, 'list'),
    compared(`one flag by its key, ${CLIENTS} clients`, 'flag'),
  ];
});
