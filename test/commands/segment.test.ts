import { test } from 'tap';
import { segmentDecider as segmentDeciderWith } from '../../src/commands/segment/decider.js';
import { type SegmentContent, type SegmentEvent } from '../../src/domain/segment.js';
import { type Clause } from '../../src/domain/targeting/clause.js';
import { compileRegex } from '../../src/infrastructure/re2-regex-compiler.js';
import { project, PROJECT_ID } from '../support/flags.js';
import { given } from '../support/given.js';

const segmentDecider = segmentDeciderWith({ compileRegex });
const place = { projectId: PROJECT_ID, segmentKey: 'beta' };
const PRO: Clause = { attribute: 'plan', operator: 'in', values: ['pro'] };
const rule = (id: string) => ({ id, description: '', clauses: [PRO] });

const content: SegmentContent = {
  projectId: PROJECT_ID,
  key: 'beta',
  name: 'beta',
  description: '',
  tags: [],
  included: ['anna'],
  excluded: ['bert'],
  rules: [rule('a'), rule('b')],
};
const created: SegmentEvent = { type: 'SegmentCreated', data: content };
const deleted: SegmentEvent = { type: 'SegmentDeleted', data: {} };
const keyEvent =
  (type: 'SegmentKeysChanged' | 'SegmentKeysAdded' | 'SegmentKeysRemoved') =>
  (included: string[], excluded: string[]): SegmentEvent => ({
    type,
    data: { included, excluded },
  });
const keys = keyEvent('SegmentKeysChanged');
const [added, removed] = [keyEvent('SegmentKeysAdded'), keyEvent('SegmentKeysRemoved')];
const rules = (...ids: string[]): SegmentEvent => ({
  type: 'SegmentRulesChanged',
  data: { rules: ids.map(rule) },
});

const segment = (t: Parameters<typeof given>[0], ...history: SegmentEvent[]) =>
  given(t, segmentDecider, project)(...history);

test('a segment is created once, with keys and rules', async (t) => {
  const { included, excluded } = content;
  const asked = { included, excluded, rules: [rule('a'), rule('b')] };
  const create = { type: 'CreateSegment', data: { ...place, ...asked } } as const;
  segment(t).when(create).thenRecords(created);
  segment(t, created).when(create).thenRefuses('segment-exists');
  segment(t, created, deleted).when(create).thenRefuses('segment-exists-deleted');
  const both = { ...create, data: { ...create.data, excluded: ['anna'] } };
  segment(t).when(both).thenRefuses('duplicate-segment-key');
  const empty = { ...create, data: { ...create.data, rules: [{ clauses: [] }] } };
  segment(t).when(empty).thenRefuses('invalid-clause');
  given(t, segmentDecider, { status: 'absent' })().when(create).thenRefuses('project-not-found');
});

test('its details change, what is left out stays', async (t) => {
  const change = { type: 'ChangeSegmentDetails', data: { ...place, name: 'Beta' } } as const;
  const renamed: SegmentEvent = {
    type: 'SegmentDetailsChanged',
    data: { name: 'Beta', description: '', tags: [] },
  };
  segment(t, created).when(change).thenRecords(renamed);
  segment(t, created, renamed).when(change).thenRecords();
  segment(t).when(change).thenRefuses('segment-not-found');
  segment(t, created, deleted).when(change).thenRefuses('segment-deleted');
});

test('its keys are replaced, added and removed', async (t) => {
  const lists =
    (type: 'ReplaceSegmentKeys' | 'AddSegmentKeys') => (included: string[], excluded: string[]) =>
      ({ type, data: { ...place, included, excluded } }) as const;
  const [replace, add] = [lists('ReplaceSegmentKeys'), lists('AddSegmentKeys')];
  const remove = { type: 'RemoveSegmentKeys', data: { ...place, keys: ['bert', 'x'] } } as const;
  const beta = segment(t, created);
  beta
    .when(replace(['carl', 'carl'], []))
    .thenRecords(removed(['anna'], ['bert']), added(['carl'], []));
  beta.when(replace(['anna'], ['bert'])).thenRecords();
  beta.when(replace(['anna'], ['anna'])).thenRefuses('duplicate-segment-key');
  const many = Array.from({ length: 100_000 }, (_, n) => `u${n}`);
  beta.when(replace(many, ['x'])).thenRefuses('too-many-keys');
  beta.when(add(['bert'], [])).thenRecords(removed([], ['bert']), added(['bert'], []));
  beta.when(add([], ['anna'])).thenRecords(removed(['anna'], []), added([], ['anna']));
  beta.when(add(['anna'], [])).thenRecords();
  beta.when(add(['x'], ['x'])).thenRefuses('duplicate-segment-key');
  beta.when(remove).thenRecords(removed([], ['bert']));
  segment(t, created, keys([], [])).when(remove).thenRecords();
});

test('its rules are replaced, added, changed, moved and removed', async (t) => {
  const beta = segment(t, created);
  const replace = (...ids: string[]) =>
    ({ type: 'ReplaceSegmentRules', data: { ...place, rules: ids.map(rule) } }) as const;
  beta.when(replace('b')).thenRecords(rules('b'));
  beta.when(replace('a', 'b')).thenRecords();
  beta.when(replace('a', 'a')).thenRefuses('duplicate-rule');
  const add = (id: string, before?: string) =>
    ({
      type: 'AddSegmentRule',
      data: { ...place, rule: rule(id), place: before === undefined ? {} : { before } },
    }) as const;
  beta.when(add('c')).thenRecords(rules('a', 'b', 'c'));
  beta.when(add('c', 'a')).thenRecords(rules('c', 'a', 'b'));
  beta.when(add('a')).thenRefuses('rule-exists');
  const change = (id: string, clauses: readonly Clause[]) =>
    ({ type: 'ChangeSegmentRule', data: { ...place, rule: id, change: { clauses } } }) as const;
  const nested: readonly Clause[] = [{ segments: ['staff'] }];
  beta.when(change('a', nested)).thenRecords({
    type: 'SegmentRulesChanged',
    data: { rules: [{ ...rule('a'), clauses: nested }, rule('b')] },
  });
  beta.when(change('a', [PRO])).thenRecords();
  beta.when(change('a', [])).thenRefuses('invalid-clause');
  beta.when(change('x', [PRO])).thenRefuses('rule-not-found');
  const move = { type: 'MoveSegmentRule', data: { ...place, rule: 'a', place: {} } } as const;
  beta.when(move).thenRecords(rules('b', 'a'));
  const remove = (id: string) =>
    ({ type: 'RemoveSegmentRule', data: { ...place, rule: id } }) as const;
  beta.when(remove('a')).thenRecords(rules('b'));
  beta.when(remove('x')).thenRefuses('rule-not-found');
});

test('it is deleted, restored and reverted', async (t) => {
  const remove = { type: 'DeleteSegment', data: place } as const;
  segment(t, created).when(remove).thenRecords(deleted);
  segment(t, created, deleted).when(remove).thenRecords();
  segment(t).when(remove).thenRefuses('segment-not-found');
  const snapshot = { segment: { ...content, status: 'active' }, revision: 0 } as const;
  const restore = { type: 'RestoreSegment', data: { ...place, snapshot } } as const;
  segment(t, created, deleted)
    .when(restore)
    .thenRecords({ type: 'SegmentRestored', data: { content, fromRevision: 0 } });
  segment(t, created).when(restore).thenRefuses('segment-not-deleted');
  const revert = { type: 'RevertSegment', data: { ...place, snapshot } } as const;
  segment(t, created, rules())
    .when(revert)
    .thenRecords({ type: 'SegmentReverted', data: { content, fromRevision: 0 } });
  segment(t, created).when(revert).thenRecords();
  segment(t, created, deleted).when(revert).thenRefuses('segment-deleted');
});

test('an import makes a segment, and changes those that imports made', async (t) => {
  const importing = (ids: string[], environments = ['production', 'staging']) =>
    ({
      type: 'ImportSegment',
      data: { ...place, name: 'is beta?', rules: ids.map(rule), environments },
    }) as const;
  const made: SegmentEvent = {
    type: 'SegmentCreated',
    data: {
      ...content,
      name: 'is beta?',
      description: 'A shared condition of a flagd file.',
      tags: ['flagd'],
      included: [],
      excluded: [],
    },
  };
  segment(t)
    .when(importing(['a', 'b'], ['staging']))
    .thenRecords(made);
  segment(t, made)
    .when(importing(['a', 'b'], ['staging']))
    .thenRecords();
  segment(t, made)
    .when(importing(['a']))
    .thenRecords(rules('a'));
  segment(t, made)
    .when(importing(['a'], ['staging']))
    .thenRefuses('cannot-import');
  segment(t, created)
    .when(importing(['a']))
    .thenRefuses('segment-exists');
  segment(t, made, deleted)
    .when(importing(['a']))
    .thenRefuses('segment-exists-deleted');
  segment(t)
    .when(importing(['a', 'a']))
    .thenRefuses('duplicate-rule');
  const empty = {
    ...importing([]),
    data: { ...importing([]).data, rules: [{ ...rule('a'), clauses: [] }] },
  };
  segment(t).when(empty).thenRefuses('invalid-clause');
});

test('keys that were added to an imported segment stay', async (t) => {
  const made: SegmentEvent = { type: 'SegmentCreated', data: { ...content, tags: ['flagd'] } };
  const data = {
    ...place,
    name: 'beta',
    rules: [rule('a')],
    environments: ['production', 'staging'],
  };
  segment(t, made).when({ type: 'ImportSegment', data }).thenRecords(rules('a'));
});
