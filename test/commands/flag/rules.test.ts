import { test } from 'tap';
import { type NewRule } from '../../../src/commands/flag/rules.js';
import { type Rule } from '../../../src/domain/flag/configuration.js';
import { type FlagEvent } from '../../../src/domain/flag/events.js';
import { type Json } from '../../../src/domain/json.js';
import { type Clause } from '../../../src/domain/targeting/clause.js';
import { flagDecider } from '../../support/deciders.js';
import { archived, created, inProduction, project } from '../../support/flags.js';
import { given } from '../../support/given.js';

const PRO: Clause = { attribute: 'plan', operator: 'in', values: ['pro'] };
const STAFF: Clause = { segments: ['staff'] };

const asked = (id: string, clause: Clause = PRO): NewRule & { id: string } => ({
  id,
  clauses: [clause],
  serve: { variant: 'on' },
});
const rule = (id: string, clause: Clause = PRO): Rule => ({
  id,
  description: '',
  clauses: [clause],
  serve: { variant: 'on' },
});
const rules = (...list: Rule[]): FlagEvent => ({
  type: 'FlagRulesChanged',
  data: { environment: 'production', rules: list },
});

const [a, b, c] = [rule('a'), rule('b', STAFF), rule('c')];
const three = rules(a, b, c);

test('replacing the rules records the whole list, once', async (t) => {
  const replace = (...list: NewRule[]) =>
    ({ type: 'ReplaceRules', data: { ...inProduction, rules: list } }) as const;
  const flag = given(t, flagDecider, project);
  const list = [asked('a'), asked('b', STAFF), asked('c')];
  flag(created)
    .when(replace(...list))
    .thenRecords(three);
  flag(created, three)
    .when(replace(...list))
    .thenRecords();
  flag(created, three).when(replace()).thenRecords(rules());
  flag(created, archived).when(replace()).thenRefuses('flag-archived');
  flag(created)
    .when(replace(asked('a'), asked('a')))
    .thenRefuses('duplicate-rule');
  flag(created)
    .when(replace({ ...asked('a'), serve: { variant: 'x' } }))
    .thenRefuses('unknown-variant');
  flag(created)
    .when(replace({ ...asked('a'), clauses: [] }))
    .thenRefuses('invalid-clause');
  const many = Array.from({ length: 201 }, (_, n) => asked(`r${n}`));
  flag(created)
    .when(replace(...many))
    .thenRefuses('too-many-rules');
  const broken = { attribute: 'email', operator: 'matches', values: ['a(b'] } as const;
  flag(created)
    .when(replace(asked('a', broken)))
    .thenRefuses('invalid-regex');
  const values = Array.from({ length: 4 }, (_, n) => `a[ab]{450}${n}`);
  const large = { attribute: 'q', operator: 'matches', values } as const;
  const costly = ['a', 'b', 'c'].map((id) => asked(id, large));
  flag(created)
    .when(replace(...costly))
    .thenRefuses('invalid-regex');
});

test('a rule may serve what an expression names, then also without clauses', async (t) => {
  const logic = { if: [{ '==': [{ var: 'plan' }, 'pro'] }, 'on', null] };
  const add = (serve: NewRule['serve'], clauses: readonly Clause[] = []) =>
    ({
      type: 'AddRule',
      data: { ...inProduction, rule: { id: 'x', clauses, serve }, place: {} },
    }) as const;
  const flag = given(t, flagDecider, project)(created);
  flag
    .when(add({ logic }))
    .thenRecords(rules({ id: 'x', description: '', clauses: [], serve: { logic } }));
  flag
    .when(add({ logic }, [STAFF]))
    .thenRecords(rules({ id: 'x', description: '', clauses: [STAFF], serve: { logic } }));
  flag.when(add({ logic: { nonsense: [] } })).thenRefuses('invalid-logic');
});

test('a rule is added at the end, in front of another, or at a place', async (t) => {
  const add = (added: NewRule, place: { before?: string; position?: number } = {}) =>
    ({ type: 'AddRule', data: { ...inProduction, rule: added, place } }) as const;
  const flag = given(t, flagDecider, project)(created, rules(a, b));
  flag.when(add(asked('c'))).thenRecords(three);
  flag.when(add(asked('c'), { before: 'a' })).thenRecords(rules(c, a, b));
  flag.when(add(asked('c'), { position: 1 })).thenRecords(rules(a, c, b));
  flag.when(add(asked('c'), { position: 9 })).thenRecords(three);
  flag.when(add(asked('a'))).thenRefuses('rule-exists');
  flag.when(add(asked('c'), { before: 'x' })).thenRefuses('rule-not-found');
});

test('a rule without an id is given one that stays the same', async (t) => {
  const { id: _, ...nameless } = asked('a');
  const add = { type: 'AddRule', data: { ...inProduction, rule: nameless, place: {} } } as const;
  const made = rule('rule-9b881239');
  given(t, flagDecider, project)(created).when(add).thenRecords(rules(made));
  given(
    t,
    flagDecider,
    project,
  )(created, rules(made))
    .when(add)
    .thenRecords(rules(made, { ...made, id: 'rule-9b881239-2' }));
});

test('a changed rule keeps its id, its place and what is not named', async (t) => {
  const change = (id: string, changed: Partial<Omit<NewRule, 'id'>>) =>
    ({ type: 'ChangeRule', data: { ...inProduction, rule: id, change: changed } }) as const;
  const flag = given(t, flagDecider, project)(created, three);
  flag
    .when(change('b', { description: 'us' }))
    .thenRecords(rules(a, { ...b, description: 'us' }, c));
  flag.when(change('b', { clauses: [PRO] })).thenRecords(rules(a, rule('b'), c));
  flag
    .when(change('b', { serve: { variant: null } }))
    .thenRecords(rules(a, { ...b, serve: { variant: null } }, c));
  flag.when(change('b', { clauses: [STAFF] })).thenRecords();
  flag.when(change('x', {})).thenRefuses('rule-not-found');
  flag.when(change('b', { clauses: [] })).thenRefuses('invalid-clause');
  flag.when(change('b', { serve: { variant: 'x' } })).thenRefuses('unknown-variant');
});

test('the shares of a changed split stay in their order', async (t) => {
  const weights = [
    { variant: 'off', weight: 60_000 },
    { variant: 'on', weight: 40_000 },
  ];
  const split = {
    weights,
    total: 100_000,
    bucketBy: 'targetingKey',
    algorithm: 'murmur3-32',
  } as const;
  const shares = [
    { variant: 'on', percent: 50 },
    { variant: 'off', percent: 50 },
  ];
  const even = { ...split, weights: weights.map((share) => ({ ...share, weight: 50_000 })) };
  const change = { serve: { split: shares } };
  given(
    t,
    flagDecider,
    project,
  )(created, rules({ ...a, serve: { split } }))
    .when({ type: 'ChangeRule', data: { ...inProduction, rule: 'a', change } })
    .thenRecords(rules({ ...a, serve: { split: even } }));
});

test('a rule is moved and removed', async (t) => {
  const move = (id: string, place: { before?: string; position?: number } = {}) =>
    ({ type: 'MoveRule', data: { ...inProduction, rule: id, place } }) as const;
  const remove = (id: string) =>
    ({ type: 'RemoveRule', data: { ...inProduction, rule: id } }) as const;
  const flag = given(t, flagDecider, project)(created, three);
  flag.when(move('a')).thenRecords(rules(b, c, a));
  flag.when(move('c', { before: 'a' })).thenRecords(rules(c, a, b));
  flag.when(move('a', { position: 1 })).thenRecords(rules(b, a, c));
  flag.when(move('c')).thenRecords();
  flag.when(move('a', { before: 'a' })).thenRecords();
  flag.when(move('x')).thenRefuses('rule-not-found');
  flag.when(move('a', { before: 'x' })).thenRefuses('rule-not-found');
  flag.when(remove('b')).thenRecords(rules(a, c));
  flag.when(remove('x')).thenRefuses('rule-not-found');
});

test('a variant that a rule serves is not left out', async (t) => {
  const variants = [{ name: 'off', value: false }];
  given(
    t,
    flagDecider,
    project,
  )(created, three)
    .when({
      type: 'ChangeVariants',
      data: { projectId: inProduction.projectId, flagKey: inProduction.flagKey, variants },
    })
    .thenRefuses('variant-in-use');
});

const keep = (...names: string[]) =>
  ({
    projectId: inProduction.projectId,
    flagKey: inProduction.flagKey,
    variants: names.map((name) => ({ name, value: name === 'on' })),
  }) as const;

const blue: FlagEvent = {
  type: 'FlagVariantsChanged',
  data: { variants: keep('on', 'off', 'blue').variants },
};

test('a variant that an expression plainly names is not left out', async (t) => {
  const isPart: Json = { in: ['@example.com', { var: 'email' }] };
  const withLogic = (logic: Json) =>
    given(t, flagDecider, project)(
      created,
      blue,
      rules({ ...a, clauses: [], serve: { logic } }),
    ).when({
      type: 'ChangeVariants',
      data: keep('on', 'off'),
    });
  for (const logic of [
    'blue',
    { if: [isPart, 'blue'] },
    { if: [isPart, 'on', { if: [isPart, null, 'blue'] }] },
    { if: [isPart, { fractional: [{ var: 'email' }, ['on', 1], ['blue', 1]] }] },
  ])
    withLogic(logic).thenRefuses('variant-in-use');
  const gone: FlagEvent = {
    type: 'FlagVariantsChanged',
    data: { variants: keep('on', 'off').variants },
  };
  for (const logic of [{ if: ['blue', 'on', { var: 'blue' }] }, { cat: ['blue'] }, null])
    withLogic(logic).thenRecords(gone);
});

test('an import keeps a variant that an expression in another environment names', async (t) => {
  const { variants, ...place } = keep('on', 'off');
  const type = 'boolean';
  const rest = {
    enabled: true,
    rules: [],
    fallthrough: { variant: 'on' },
  } as const;
  const importing = (environment: string) =>
    ({
      type: 'ImportFlag',
      data: { ...place, type, variants, environments: { [environment]: rest } },
    }) as const;
  const flag = given(t, flagDecider, project)(
    created,
    blue,
    rules({ ...a, clauses: [], serve: { logic: { if: [true, 'blue'] } } }),
  );
  flag.when(importing('staging')).thenRefuses('variant-in-use');
  flag
    .when(importing('production'))
    .thenRecords({ type: 'FlagVariantsChanged', data: { variants } }, rules(), {
      type: 'FlagEnabled',
      data: { environment: 'production' },
    });
});

test('prerequisites are replaced whole', async (t) => {
  const change = (...prerequisites: { flagKey: string; variants: string[] }[]) =>
    ({ type: 'ChangePrerequisites', data: { ...inProduction, prerequisites } }) as const;
  const recorded = (...prerequisites: { flagKey: string; variants: string[] }[]): FlagEvent => ({
    type: 'FlagPrerequisitesChanged',
    data: { environment: 'production', prerequisites },
  });
  const [pay, log] = [
    { flagKey: 'pay', variants: ['on'] },
    { flagKey: 'log', variants: ['on', 'some'] },
  ];
  const flag = given(t, flagDecider, project);
  flag(created)
    .when(change(pay, { ...log, variants: ['on', 'some', 'on'] }))
    .thenRecords(recorded(pay, log));
  flag(created, recorded(pay)).when(change(pay)).thenRecords();
  flag(created, recorded(pay)).when(change()).thenRecords(recorded());
  flag(created).when(change(pay, pay)).thenRefuses('duplicate-prerequisite');
});

test('metadata is replaced whole, and removed when it is empty', async (t) => {
  const { projectId, flagKey } = inProduction;
  const change = (metadata: Record<string, string>) =>
    ({ type: 'ChangeFlagDetails', data: { projectId, flagKey, metadata } }) as const;
  const details = { name: flagKey, description: '', tags: [] };
  const owned: FlagEvent = {
    type: 'FlagDetailsChanged',
    data: { ...details, metadata: { owner: 'shop' } },
  };
  const disowned: FlagEvent = { type: 'FlagDetailsChanged', data: { ...details, metadata: {} } };
  const flag = given(t, flagDecider, project);
  flag(created)
    .when(change({ owner: 'shop' }))
    .thenRecords(owned);
  flag(created, owned)
    .when(change({ owner: 'shop' }))
    .thenRecords();
  flag(created, owned).when(change({})).thenRecords(disowned);
  flag(created, owned, disowned).when(change({})).thenRecords();
});
