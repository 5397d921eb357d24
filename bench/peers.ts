// Our engine against those of others, in one process and one run: the same flags, asked for the same people.
import { chronoflagPeer } from './support/peers/chronoflag.js';
import { flagdPeer } from './support/peers/flagd.js';
import { growthbookPeer } from './support/peers/growthbook.js';
import { launchdarklyPeer } from './support/peers/launchdarkly.js';
import { type Peer, people, type Scenario, SCENARIOS } from './support/peers/peer.js';
import { unleashPeer } from './support/peers/unleash.js';
import { runBench } from './support/bench.js';
import { figure } from './support/numbers.js';
import { type Row, row, times } from './support/report.js';

const ROUNDS = 5;
const ROUND_MS = 200;

/** Half of the people are in the half; whoever answers otherwise was not asked the same. */
const check = async ({ name, runs }: Peer, scenario: Scenario): Promise<void> => {
  const answers: (boolean | number)[] = [];
  for (const person of people.keys()) answers.push(await runs[scenario](person));
  const first = answers[0];
  const share = answers.filter((answer) => answer === first).length / people.length;
  const isRight = scenario === '50 % split' ? Math.abs(share - 0.5) < 0.06 : share === 1 && first;
  if (isRight === false || first === 0)
    throw new Error(`${name} answers ${scenario} with ${share}`);
  if (typeof first === 'number' && !scenario.includes(` ${first} `))
    throw new Error(`${name} evaluates ${first} flags for ${scenario}`);
};

let sink: unknown;

/** Whether a run's answers are promises is the engine's own way: then waiting for them is part of the price. */
const oneRound = async (run: Peer['runs'][Scenario], isAsync: boolean): Promise<number> => {
  const start = performance.now();
  let calls = 0;
  let person = 0;
  while (performance.now() - start < ROUND_MS) {
    const until = Math.min(person + 50, people.length);
    calls += until - person;
    if (isAsync) for (; person < until; person += 1) sink = await run(person);
    else for (; person < until; person += 1) sink = run(person);
    if (person === people.length) person = 0;
  }
  return ((performance.now() - start) * 1e6) / calls;
};

/** Nanoseconds per answer: the best of some rounds, so that what else the machine does counts least. */
const nanoseconds = async ({ runs }: Peer, scenario: Scenario): Promise<number> => {
  const run = runs[scenario];
  const isAsync = run(0) instanceof Promise;
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round += 1)
    best = Math.min(best, await oneRound(run, isAsync));
  return best;
};

const compared = async (ours: Peer, others: readonly Peer[], scenario: Scenario): Promise<Row> => {
  for (const peer of [ours, ...others]) await check(peer, scenario);
  const own = await nanoseconds(ours, scenario);
  const theirs: (readonly [name: string, nanoseconds: number])[] = [];
  for (const peer of others) theirs.push([peer.name, await nanoseconds(peer, scenario)]);
  const fastest = Math.min(...theirs.map(([, taken]) => taken));
  return row(`engine against others: ${scenario}`, {
    measured: `${figure(own)} ns`,
    reference: theirs.map(([name, taken]) => `${name} ${figure(taken)}`).join(', '),
    ratio: `${times(fastest / own)} as fast as the next`,
    target: '≥ 2x',
    holds: fastest / own >= 2,
  });
};

await runBench('peers', 300, async ({ atEnd, say }) => {
  const others = [flagdPeer(), growthbookPeer(), await unleashPeer(), await launchdarklyPeer()];
  for (const { close } of others) if (close !== undefined) atEnd(close);
  const ours = chronoflagPeer();
  const rows: Row[] = [];
  for (const scenario of SCENARIOS) {
    say(scenario);
    rows.push(await compared(ours, others, scenario));
  }
  if (sink === undefined) throw new Error('Nothing was measured.');
  return rows;
});
