import * as fc from 'fast-check';
import { test } from 'tap';
import { type DomainEvent } from '../../../src/domain/catalogue.js';
import { DomainError } from '../../../src/domain/decider.js';
import { type Context } from '../../../src/domain/evaluation/context.js';
import { type EnvironmentContents } from '../../../src/domain/evaluation/ruleset.js';
import { type Position } from '../../../src/domain/position.js';
import { type Recorded } from '../../../src/domain/recorded.js';
import { environmentIdOf } from '../../../src/domain/streams.js';
import { foldEvents } from '../../../src/projections/fold/fold.js';
import { type Tracked } from '../../../src/projections/fold/tracked.js';
import { type StateSource } from '../../../src/queries/entities/entity-at.js';
import { allFlagsAnswer } from '../../../src/queries/evaluation/answers.js';
import { type CurrentStates } from '../../../src/queries/evaluation/current-states.js';
import { compileEnvironment } from '../../../src/queries/evaluation/environment-rulesets.js';
import { currentRulesets, rulesetsAt } from '../../../src/queries/evaluation/rulesets-at.js';
import { logSource } from '../../../src/queries/log/log-source.js';
import { resolveMoment } from '../../../src/queries/moments.js';
import { readModelSource } from '../../../src/queries/queries.js';
import { testDatabase } from '../../support/database.js';
import { compileRegex } from '../../support/evaluation.js';
import { ENVIRONMENTS, ORGANIZATION, PROJECT, PROJECT_ID } from '../../support/histories.js';
import { eventLogOf, fillReadModel } from '../../support/read-model.js';
import { snapshotLogs } from '../../support/snapshot-histories.js';

const RUNS = { seed: 20_261_121, numRuns: 25 };

type Log = readonly Recorded<DomainEvent>[];
type Sources = Readonly<Record<string, StateSource>>;

const CONTEXTS: readonly Context[] = [
  { targetingKey: 'user-1', attributes: {} },
  { targetingKey: 'user-9', attributes: { plan: 'pro', age: 20, email: 'x@B.org' } },
  { targetingKey: 'user-0', attributes: { plan: 'free', age: 40, beta: true } },
  { targetingKey: 'user-3', attributes: { plan: 'team', beta: false } },
].map(({ targetingKey, attributes }) => ({ targetingKey, attributes, nowMs: 0 }));

/** The same history, but flags are enabled from their creation on: more of them come to their rules. */
const enabledFromStart = (log: Log): Log =>
  log.map((event) =>
    event.type === 'FlagCreated'
      ? { ...event, data: { ...event.data, defaults: { ...event.data.defaults, enabled: true } } }
      : event,
  );

/** The states of a system that has seen these events and no other. */
const statesOf = (log: Log): CurrentStates => {
  const { steps } = foldEvents(log, () => undefined, null);
  const last = new Map(steps.map(({ event, after }) => [event.stream, after]));
  const of = <C extends Tracked['category']>(category: C) =>
    [...last.values()].filter(
      (tracked): tracked is Extract<Tracked, { category: C }> => tracked.category === category,
    );
  return {
    position: log.at(-1)?.position ?? null,
    recordedAt: null,
    applied: null,
    projects: of('project'),
    flags: of('flag'),
    segments: of('segment'),
  };
};

const answersOf = (contents: EnvironmentContents | undefined, position: Position) =>
  contents === undefined
    ? 'no environment'
    : CONTEXTS.map((context) =>
        allFlagsAnswer(
          { environment: compileEnvironment(contents, { compileRegex }), position },
          context,
        ),
      );

test('evaluating at a position is evaluating on a system that was stopped there', async (t) => {
  const { pool: db } = await testDatabase(t);
  const reasons = new Set<string>();

  const answersAt = async (source: StateSource, environment: string, position: Position) => {
    const address = { organizationId: ORGANIZATION, project: PROJECT, environment };
    const at = rulesetsAt(source, resolveMoment(db), async () => 0);
    try {
      const { contents, position: stood } = await at(address, { position });
      return answersOf(contents, stood);
    } catch (error) {
      if (error instanceof DomainError) return 'no environment';
      throw error;
    }
  };

  const compare = async (log: Log, nth: number, sources: Sources): Promise<void> => {
    const position = log[nth]!.position;
    const stopped = currentRulesets(statesOf(log.slice(0, nth + 1)));
    for (const environment of ENVIRONMENTS) {
      const id = environmentIdOf(PROJECT_ID, environment);
      const wanted = JSON.stringify(answersOf(stopped.get(id), position));
      for (const [, reason = ''] of wanted.matchAll(/reason\\":\\"(\w+)/g)) reasons.add(reason);
      for (const [name, source] of Object.entries(sources)) {
        const found = JSON.stringify(await answersAt(source, environment, position));
        if (found !== wanted)
          throw new Error(`${name}, ${environment} at ${position}: ${found}, not ${wanted}`);
      }
    }
  };

  const check = async (log: Log): Promise<void> => {
    await fillReadModel(db, log);
    const sources = { table: readModelSource(db), log: logSource(eventLogOf(log), db) };
    for (const nth of log.keys()) await compare(log, nth, sources);
  };
  await fc.assert(fc.asyncProperty(snapshotLogs(25).map(enabledFromStart), check), RUNS);
  t.pass(`seed ${RUNS.seed}`);
  const wanted = ['DISABLED', 'PREREQUISITE_FAILED', 'SPLIT', 'STATIC', 'TARGETING_MATCH'];
  t.strictSame(
    wanted.filter((reason) => !reasons.has(reason)),
    [],
    'the histories reach every kind of answer',
  );
});
