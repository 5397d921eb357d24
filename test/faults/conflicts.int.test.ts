import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { until } from '../support/until.js';
import { type Append, historyFlaws, type Operation } from './support/history-checker.js';
import { PLACE } from './support/load.js';
import { quiescence, readLog, readModelFacts } from './support/observe.js';
import { byLength, type Scenario, startScenario } from './support/scenario.js';
import { expectedReadModel, factFlaws, logFlaws } from './support/verify.js';

const CLIENTS = byLength(12, 40);
const KILLS = byLength(1, 10);
const OPERATIONS = byLength(150, 400);
const FLAG = 'flag-0';
const STREAM = `flag-default:demo:${FLAG}`;

/** The fresh revision of the stream: a dry run is answered from the log, never from memory. */
const readOnce = async ({ client }: Scenario): Promise<Operation | undefined> => {
  const invokedAt = performance.now();
  const path = `${PLACE}/flags/${FLAG}?dryRun=true`;
  const answer = await client
    .send('PATCH', path, { body: { name: randomUUID() } })
    .catch(() => undefined);
  if (answer?.status !== 200) return undefined;
  const length = Number(answer.body['revision']) + 1;
  return { kind: 'read', invokedAt, completedAt: performance.now(), length };
};

const appendOnce = async ({ client }: Scenario, expected: number): Promise<Append> => {
  const id = randomUUID();
  const invokedAt = performance.now();
  const headers = { 'if-match': `"${expected}"`, 'idempotency-key': id };
  const answer = await client.command(FLAG, { name: id }, headers).catch(() => undefined);
  const base = { kind: 'append', id, expected, invokedAt } as const;
  if (answer?.status === 200) {
    const revision = Number(answer.body['revision']);
    return { ...base, outcome: 'ok', revision, completedAt: performance.now() };
  }
  if (answer?.status === 412)
    return { ...base, outcome: 'conflict', completedAt: performance.now() };
  return { ...base, outcome: 'unknown', completedAt: Infinity };
};

/** Reads and appends in turn, until there are enough operations. */
const contend = async (scenario: Scenario, history: Operation[]): Promise<void> => {
  while (history.length < OPERATIONS * (KILLS + 1)) {
    const read = await readOnce(scenario);
    if (read?.kind === 'read') {
      history.push(read);
      history.push(await appendOnce(scenario, read.length - 1));
    } else await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

test('conflicting commands', async (t) => {
  const scenario = await startScenario(t);
  const { service, servers, client } = scenario;

  await t.test('two admins change different environments at the same moment', async (t) => {
    const path = (environment: string) =>
      `${PLACE}/flags/flag-1/environments/${environment}/fallthrough`;
    const answers = await Promise.all(
      ['production', 'staging'].map((environment) =>
        client.send('PUT', path(environment), { body: { variant: 'v3' } }),
      ),
    );
    t.strictSame(
      answers.map(({ status }) => status),
      [200, 200],
    );
  });

  await t.test('of 50 commands at once every accepted one is there once', async (t) => {
    const keys = Array.from({ length: 50 }, () => randomUUID());
    const answers = await Promise.all(
      keys.map((key) => client.command('flag-2', { name: key }, { 'idempotency-key': key })),
    );
    const accepted = keys.filter((_, nth) => answers[nth]?.status === 200);
    const log = await quiescence(servers);
    const written = log.map(({ metadata }) => metadata.commandId);
    t.strictSame(
      accepted.filter((key) => written.filter((id) => id === key).length !== 1),
      [],
      `${accepted.length} of 50 accepted`,
    );
    t.ok(accepted.length > 0);
    const held = await readModelFacts(servers, log);
    t.strictSame(factFlaws(held, expectedReadModel(log)), [], 'read model = fold of the log');
  });

  await t.test(`${CLIENTS} clients on one flag, killed in between, are linearizable`, async (t) => {
    const history: Operation[] = [];
    const before = (await readLog(servers)).filter(({ stream }) => stream === STREAM);
    const contending = Array.from({ length: CLIENTS }, () => contend(scenario, history));
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await until('it is time to kill', () => history.length >= OPERATIONS * kill);
      await service.kill();
      await service.start();
    }
    await Promise.all(contending);
    const log = await quiescence(servers);
    const stream = log
      .filter((event) => event.stream === STREAM)
      .map(({ metadata }) => metadata.commandId);
    const setUp = before.map(({ metadata }, revision): Append => {
      const place = { expected: revision - 1, revision, invokedAt: -1, completedAt: 0 };
      return { kind: 'append', id: metadata.commandId, outcome: 'ok', ...place };
    });
    const whole = [...setUp, ...history];
    t.strictSame(historyFlaws(whole, stream).slice(0, 5), []);
    t.strictSame(logFlaws(log), []);
    const count = (outcome: Append['outcome']): number =>
      history.filter((one) => one.kind === 'append' && one.outcome === outcome).length;
    t.ok(count('ok') > 0 && count('conflict') > 0, 'some succeeded, some were refused');
    t.comment(
      `${history.length} operations: ${count('ok')} ok, ${count('conflict')} refused, ${count('unknown')} unknown`,
    );
    const doubled = [...stream, stream.at(-1)!];
    t.not(historyFlaws(whole, doubled).length, 0, 'a doubled event would be seen');
    t.not(historyFlaws(whole, stream.slice(0, -1)).length, 0, 'a lost event would be seen');
  });
});
