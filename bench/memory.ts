// Resident memory of one `api` process with 1 000 flags: idle, and over a minute of evaluations and changes.
// Reference in the same run: a Fastify application with one route, after the same load.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { runBench } from './support/bench.js';
import { adminOf, callUntil, forEachOf } from './support/http.js';
import { load } from './support/load.js';
import { figure } from './support/numbers.js';
import { row, times } from './support/report.js';
import { build, residentMbOf, startBackends, startService } from './support/service.js';

const FLAGS = 1_000;
const IDLE_MS = 5_000;
const SOAK_ROUNDS = 12;
const ROUND_SECONDS = 5;
const LIMIT_MB = 150;
/** Of the last minute's thirds: garbage that was not collected yet makes some difference. */
const FLAT = 1.1;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

await runBench('memory', 200, async (bench) => {
  await build();
  const backends = await startBackends(bench);
  const writer = await startService(bench, { backends });
  const admin = adminOf(writer.url, writer.credential);
  await forEachOf(FLAGS, (n) => admin.createFlag(`flag-${n}`));

  const bare = fork(new URL('support/bare-server.ts', import.meta.url), {
    execArgv: process.execArgv,
  });
  bench.atEnd(() => bare.kill());
  const [bareUrl] = (await once(bare, 'message')) as [string];
  const api = await startService(bench, { backends, role: 'api' });
  const evaluate = `${api.url}/api/v1/projects/demo/environments/production/evaluate`;
  await callUntil(`${evaluate}?targetingKey=anna`, writer.serverKey, (answer) =>
    answer.includes(`flag-${FLAGS - 1}"`),
  );
  await pause(IDLE_MS);
  const idle = residentMbOf(api.pid);
  bench.say(`idle ${figure(idle)} MB`);

  let percent = 0;
  const soaked: number[] = [];
  for (let round = 0; round < SOAK_ROUNDS; round += 1) {
    const target = `${evaluate}/flag-${round}?targetingKey=anna`;
    const loaded = load({
      url: target,
      credential: writer.serverKey,
      connections: 50,
      seconds: ROUND_SECONDS,
    });
    percent = (percent + 1) % 100;
    await forEachOf(20, (n) => admin.changeRollout(`flag-${n}`, percent), 2);
    await loaded;
    await load({
      url: `${evaluate}?targetingKey=anna`,
      credential: writer.serverKey,
      connections: 4,
      seconds: 1,
    });
    soaked.push(residentMbOf(api.pid));
  }
  await load({ url: bareUrl, connections: 50, seconds: ROUND_SECONDS });
  const reference = residentMbOf(bare.pid ?? 0);
  bench.say(`under load ${soaked.map(figure).join(' ')} MB; bare ${figure(reference)} MB`);

  const third = SOAK_ROUNDS / 3;
  const middle = Math.max(...soaked.slice(third, 2 * third));
  const last = Math.max(...soaked.slice(2 * third));
  return [
    row('memory of an idle api process, 1 000 flags', {
      measured: `${figure(idle)} MB`,
      reference: `bare Fastify after load ${figure(reference)} MB`,
      ratio: times(idle / reference),
      target: `< ${LIMIT_MB} MB`,
      holds: idle < LIMIT_MB,
    }),
    row('… over a minute of evaluations and changes', {
      measured: `${figure(soaked[0] ?? NaN)} → ${figure(middle)} → ${figure(last)} MB`,
      reference: `its own idle ${figure(idle)} MB`,
      ratio: `last third ${times(last / middle)} of the one before`,
      target: `flat (≤ ${FLAT}x)`,
      holds: last / middle <= FLAT,
    }),
  ];
});
