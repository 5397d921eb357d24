import { test } from 'tap';
import { canonicalJson } from '../../src/domain/json.js';
import { flagStream } from '../../src/domain/streams.js';
import { metadataOf } from '../support/histories.js';
import { type CommandRecord, type EvaluationRecord } from './support/load.js';
import {
  commandFlaws,
  evaluationFlaws,
  expectedReadModel,
  expectedRulesets,
  factFlaws,
  type Log,
  logFlaws,
} from './support/verify.js';

const PROJECT = 'default:demo';
const STREAM = flagStream(PROJECT, 'flag-0');

const served = (nth: number, variant: string): Log[number] => ({
  type: 'FlagRolloutChanged',
  data: { environment: 'production', fallthrough: { variant } },
  id: `event-${nth}`,
  stream: STREAM,
  revision: nth + 1,
  position: 1_000 + 10 * nth,
  recordedAt: '2026-01-01T00:00:00.000Z',
  metadata: metadataOf(nth),
});

const project: Log[number] = {
  ...served(0, ''),
  type: 'ProjectCreated',
  data: { organizationId: 'default', key: 'demo', name: 'Demo', description: '' },
  id: 'project',
  stream: `project-${PROJECT}`,
  revision: 0,
  position: 10,
};

const environment: Log[number] = {
  ...project,
  type: 'EnvironmentAdded',
  data: {
    environment: 'production',
    name: 'production',
    description: '',
    color: '#336699',
    isProduction: true,
  },
  id: 'environment',
  revision: 1,
  position: 20,
};

const variants = ['v0', 'v1', 'v2'].map((name) => ({ name, value: name }));

const flag: Log[number] = {
  ...project,
  type: 'FlagCreated',
  data: {
    projectId: PROJECT,
    key: 'flag-0',
    name: 'flag-0',
    description: '',
    tags: [],
    type: 'string',
    variants,
    salt: 'flag-0',
    defaults: { enabled: true, offVariant: 'v0', fallthrough: { variant: 'v0' }, targets: [] },
    environments: {},
  },
  id: 'flag',
  stream: STREAM,
  revision: 0,
  position: 30,
};

const log: Log = [project, environment, flag, served(0, 'v1'), served(1, 'v2')];

const command = (nth: number, more: Partial<CommandRecord> = {}): CommandRecord => ({
  key: `command-${nth}`,
  flag: 'flag-0',
  outcome: 'recorded',
  revision: nth + 1,
  statuses: [200],
  codes: [],
  slowestMs: 1,
  ...more,
});

test('I1 and I2: lost, doubled, misplaced or wrongly refused commands are seen', async (t) => {
  const own = log.slice(3);
  t.strictSame(commandFlaws([command(0), command(1)], own), []);
  t.match(commandFlaws([command(2)], own), [/is lost/], 'acknowledged before the commit');
  t.match(commandFlaws([command(0, { revision: 9 })], own), [/not 9/]);
  t.match(commandFlaws([command(0, { outcome: 'refused' })], own), [/though it was refused/]);
  const doubled = [...own, { ...served(0, 'v1'), revision: 3, position: 2_000, id: 'again' }];
  t.match(commandFlaws([command(0)], doubled), [/2 times/], 'appended again without its id');
  t.strictSame(commandFlaws([command(5, { outcome: 'unknown' })], own), []);
});

test('I2: a log with a gap, a double or disorder is seen', async (t) => {
  t.strictSame(logFlaws(log), []);
  t.match(logFlaws(log.toSpliced(3, 1)), [/has 2 where 1 is due/]);
  t.match(logFlaws([...log, { ...served(2, 'v1'), id: 'event-1' }]), [/twice/]);
  t.match(logFlaws([...log.slice(0, 3), served(1, 'v1'), served(0, 'v1')]), [
    /has 2/,
    /comes after/,
    /has 1/,
  ]);
});

test('I3: a projector that skips, doubles or half-applies an event is seen', async (t) => {
  const whole = expectedReadModel(log);
  t.strictSame(factFlaws(expectedReadModel(log), whole), []);
  const skipped = factFlaws(expectedReadModel(log.toSpliced(3, 1)), whole);
  t.match(skipped.join(), /event 1000: absent/, 'checkpoint written before the rows');
  const behind = factFlaws(expectedReadModel(log.slice(0, -1)), whole);
  t.match(behind.join(), /event 1010/, 'stopped one event before the end');
  t.match(behind.join(), new RegExp(`${STREAM}:`), 'and its state is old');
  const open = new Map(whole).set(
    `${STREAM} @1`,
    canonicalJson({ ...(JSON.parse(whole.get(`${STREAM} @1`)!) as object), to: null }),
  );
  t.match(factFlaws(open, whole), [/@1/], 'a revision that was not closed');
  t.match(factFlaws(new Map(whole).set('event 5', '{}'), whole), [/instead of absent/]);
});

test('I4: Redis that missed a change, or kept what was deleted, is seen', async (t) => {
  const whole = expectedRulesets(log);
  t.equal(whole.size, 2, 'one environment with one ruleset');
  t.match(factFlaws(expectedRulesets(log.slice(0, -1)), whole), [/flag-0/]);
  t.match(factFlaws(new Map(whole).set('default:demo:old', 'there'), whole), [/old/]);
  t.match(factFlaws(new Map(), whole).length, 2, 'flushed');
});

test('I5: wrong, failed and backward evaluations are seen', async (t) => {
  const answer = (variant: string, position: number, beganAt = 0): EvaluationRecord => ({
    flag: 'flag-0',
    process: 'one',
    beganAt,
    endedAt: beganAt + 1,
    status: 200,
    variant,
    position,
  });
  const check = (...evaluations: readonly EvaluationRecord[]) =>
    evaluationFlaws(evaluations, log, { initialVariant: 'v0' });
  t.strictSame(check(answer('v0', 40), answer('v1', 1_000, 2), answer('v2', 1_500, 4)), []);
  const other = { ...answer('v0', 40, 4), process: 'other' };
  t.strictSame(check(answer('v1', 1_000, 2), other), [], 'another process may be behind');
  t.match(
    check(answer('v1', 1_010)),
    [/v1 at 1010, not v2/],
    'rules of one moment, position of another',
  );
  t.match(check({ ...answer('v1', 1_000), status: 503 }), [/answered 503/]);
  t.match(check(answer('v2', 1_010), answer('v1', 1_000, 2)), [/follows one at 1010/]);
  t.strictSame(check(answer('v2', 1_010, 1), answer('v1', 1_000, 1.5)), [], 'at the same time');
});
