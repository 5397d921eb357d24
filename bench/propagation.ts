// From a change's acknowledgement to its being served by another process; idle, and while that process answers as
// many evaluations as it can. Reference in the same run: a command's own round trip at the same load.
import { runBench } from './support/bench.js';
import { adminOf, call, callUntil, forEachOf } from './support/http.js';
import { load } from './support/load.js';
import { figure, quantile } from './support/numbers.js';
import { type Row, row, times } from './support/report.js';
import { build, startBackends, startService } from './support/service.js';

const CHANGES = 300;
const PAUSE_MS = 40;
const WARM_UP = 20;
const FLAGS = 50;
const TARGET_MS = 50;

const pause = (): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, PAUSE_MS * Math.random()));

await runBench('propagation', 120, async (bench) => {
  await build();
  const backends = await startBackends(bench);
  // The first start makes the credential; it is also the one that projects.
  const writer = await startService(bench, { backends });
  const reader = await startService(bench, { backends, role: 'api' });
  const admin = adminOf(writer.url, writer.credential);
  await forEachOf(FLAGS, (n) => admin.createFlag(`flag-${n}`));
  await forEachOf(FLAGS, (n) => admin.enable(`flag-${n}`));
  const evaluations = `${reader.url}/api/v1/projects/demo/environments/production/evaluate`;
  const one = `${evaluations}/flag-0?targetingKey=anna`;
  await callUntil(`${evaluations}?targetingKey=anna`, writer.serverKey, (answer) =>
    answer.includes(`flag-${FLAGS - 1}`),
  );

  let variant = 'on';
  const change = async (): Promise<Readonly<{ commandMs: number; visibleMs: number }>> => {
    variant = variant === 'on' ? 'off' : 'on';
    const began = performance.now();
    await admin.setVariant('flag-0', variant);
    const commandMs = performance.now() - began;
    const served = `"variant":"${variant}"`;
    const visibleMs = await callUntil(one, writer.serverKey, (answer) => answer.includes(served));
    await pause();
    return { commandMs, visibleMs };
  };
  const measure = async (count: number) => {
    const done: Awaited<ReturnType<typeof change>>[] = [];
    for (let n = 0; n < count; n += 1) done.push(await change());
    return done;
  };
  const rowOf = (what: string, done: Awaited<ReturnType<typeof measure>>): Row => {
    const visible = done.map(({ visibleMs }) => visibleMs);
    const command = done.map(({ commandMs }) => commandMs);
    const [p50, p99] = [quantile(visible, 0.5), quantile(visible, 0.99)];
    return row(what, {
      measured: `p50 ${figure(p50)} ms, p99 ${figure(p99)} ms`,
      reference: `the command itself p50 ${figure(quantile(command, 0.5))} ms, p99 ${figure(quantile(command, 0.99))} ms`,
      ratio: times(p50 / quantile(command, 0.5)),
      target: `p99 < ${TARGET_MS} ms`,
      holds: p99 < TARGET_MS,
    });
  };

  await measure(WARM_UP);
  const idle = rowOf('change → served by another process, idle', await measure(CHANGES));
  bench.say(idle.measured);

  const busy = { isOver: false, perSecond: 0 };
  const loaded = (async (): Promise<void> => {
    while (!busy.isOver) {
      const { perSecond } = await load({
        url: `${evaluations}/flag-1?targetingKey=anna`,
        connections: 50,
        seconds: 2,
      });
      busy.perSecond = perSecond;
    }
  })();
  await call(one);
  const done = await measure(CHANGES);
  busy.isOver = true;
  await loaded;
  const full = rowOf(`… while it answers ${figure(busy.perSecond)} evaluations/s`, done);
  return [idle, full];
});
