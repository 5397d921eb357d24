// Evaluations a second of two processes against one, on one machine with its load generator. Reference in the same
// run: two bare Fastify processes against one, loaded in the same way.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type Bench, runBench } from './support/bench.js';
import { adminOf, callUntil } from './support/http.js';
import { load } from './support/load.js';
import { figure, median } from './support/numbers.js';
import { row, times } from './support/report.js';
import { build, startBackends, startService } from './support/service.js';

const ROUNDS = 5;
const SECONDS = 2;
const CONNECTIONS = 50;
const TARGET = 1.5;

/** The same number of connections, whatever the number of processes. */
const together = async (urls: readonly string[], credential?: string): Promise<number> => {
  const connections = Math.floor(CONNECTIONS / urls.length);
  const rates = await Promise.all(
    urls.map((url) => load({ url, credential, connections, seconds: SECONDS })),
  );
  return rates.reduce((sum, { perSecond }) => sum + perSecond, 0);
};

const startBare = async (bench: Bench): Promise<string> => {
  const file = new URL('support/bare-server.ts', import.meta.url);
  const child = fork(file, { execArgv: process.execArgv });
  bench.atEnd(() => child.kill());
  const [url] = (await once(child, 'message')) as [string];
  return url;
};

await runBench('scaling', 150, async (bench) => {
  await build();
  const backends = await startBackends(bench);
  const writer = await startService(bench, { backends });
  const admin = adminOf(writer.url, writer.credential);
  await admin.createFlag('flag-0');
  const query = '/api/v1/projects/demo/environments/production/evaluate/flag-0?targetingKey=anna';
  const ours: string[] = [];
  for (let n = 0; n < 2; n += 1) {
    const { url } = await startService(bench, { backends, role: 'api' });
    ours.push(`${url}${query}`);
    await callUntil(`${url}${query}`, writer.serverKey, (answer) => answer !== '');
  }
  await writer.stop();
  const bare = [await startBare(bench), await startBare(bench)];

  const rates = {
    one: [] as number[],
    two: [] as number[],
    bareOne: [] as number[],
    bareTwo: [] as number[],
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    rates.bareOne.push(await together(bare.slice(0, 1)));
    rates.one.push(await together(ours.slice(0, 1), writer.serverKey));
    rates.two.push(await together(ours, writer.serverKey));
    rates.bareTwo.push(await together(bare));
    bench.say(
      Object.entries(rates)
        .map(([name, all]) => `${name} ${figure(all.at(-1) ?? NaN)}/s`)
        .join(', '),
    );
  }
  const [one, two] = [median(rates.one), median(rates.two)];
  const [bareOne, bareTwo] = [median(rates.bareOne), median(rates.bareTwo)];
  return [
    row('two api processes against one', {
      measured: `${figure(one)}/s → ${figure(two)}/s: ${times(two / one)}`,
      reference: `bare Fastify ${figure(bareOne)}/s → ${figure(bareTwo)}/s: ${times(bareTwo / bareOne)}`,
      ratio: times(two / one / (bareTwo / bareOne)),
      target: `≥ ${TARGET}x`,
      holds: two / one >= TARGET,
    }),
  ];
});
