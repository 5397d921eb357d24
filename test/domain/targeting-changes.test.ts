import { test } from 'tap';
import { changesBetween } from '../../src/domain/changes.js';
import { clausesText } from '../../src/domain/changes/wording.js';
import { segmentChangesBetween } from '../../src/domain/changes/segment-changes.js';
import { type Configuration, type Rule } from '../../src/domain/flag/configuration.js';
import { type ExistingFlag } from '../../src/domain/flag/flag.js';
import { type ExistingSegment } from '../../src/domain/segment.js';
import { type Clause, OPERATORS } from '../../src/domain/targeting/clause.js';
import { content } from '../support/flags.js';
import { segmentContent } from '../support/histories.js';

const EMPLOYEES: Clause = { attribute: 'email', operator: 'endsWith', values: ['@example.com'] };

const rule = (id: string, more: Partial<Rule> = {}): Rule => ({
  id,
  description: '',
  clauses: [EMPLOYEES],
  serve: { variant: 'on' },
  ...more,
});

const withLive = (live: Partial<Configuration>): ExistingFlag => ({
  ...content,
  status: 'active',
  environments: { live: { ...content.defaults, ...live } },
});
const withRules = (...rules: Rule[]): ExistingFlag => withLive(rules.length > 0 ? { rules } : {});

const texts = (before: ExistingFlag, after: ExistingFlag): readonly string[] =>
  changesBetween(before, after).map(({ text }) => text);

test('rules that came, went and changed are told one by one', async (t) => {
  const [a, b] = [rule('employees'), rule('b')];
  t.strictSame(texts(withRules(), withRules(a)), [
    'live: rule "employees" added: email ends with "@example.com" → variant "on"',
  ]);
  t.strictSame(texts(withRules(b), withRules(a, b)), [
    'live: rule "employees" added before rule "b": email ends with "@example.com" → variant "on"',
  ]);
  t.strictSame(texts(withRules(a, b), withRules(b)), [
    'live: rule "employees" removed, it was: email ends with "@example.com" → variant "on"',
  ]);
  const changed = rule('b', {
    description: 'ours',
    clauses: [{ segments: ['staff'], negate: true }],
    serve: { variant: null },
  });
  t.strictSame(texts(withRules(b), withRules(changed)), [
    'live: rule "b": description was "", now "ours"',
    'live: rule "b": was for email ends with "@example.com", now for is not in segment "staff"',
    `live: rule "b": served variant "on", now no variant (the caller's own default)`,
  ]);
  t.strictSame(texts(withRules(a, b), withRules(a, b)), []);
});

test('a moved rule is told with its new place, more of them as an order', async (t) => {
  const [a, b, c, d] = [rule('a'), rule('b'), rule('c'), rule('d')];
  t.strictSame(texts(withRules(a, b, c), withRules(c, a, b)), [
    'live: rule "c" moved before rule "a"',
  ]);
  t.strictSame(texts(withRules(a, b, c), withRules(b, c, a)), ['live: rule "a" moved to the end']);
  t.strictSame(texts(withRules(a, b, c, d), withRules(d, c, b, a)), [
    'live: rules put in another order: "d", "c", "b", "a"',
  ]);
});

test('prerequisites that came, went and changed are told one by one', async (t) => {
  const on = { flagKey: 'pay', variants: ['on'] };
  const any = { flagKey: 'pay', variants: ['on', 'some'] };
  const log = { flagKey: 'log', variants: ['on'] };
  const flag = (...prerequisites: (typeof on)[]) => withLive({ prerequisites });
  t.strictSame(texts(withLive({}), flag(on)), [
    'live: prerequisite flag "pay" added: must serve "on"',
  ]);
  t.strictSame(texts(flag(on), flag(any)), [
    'live: prerequisite flag "pay" must serve "on" or "some"',
  ]);
  t.strictSame(texts(flag(on), withLive({})), ['live: prerequisite flag "pay" removed']);
  t.strictSame(texts(flag(on, log), flag(log, on)), ['live: prerequisites put in another order']);
});

test('metadata is told as a value', async (t) => {
  const flag = withLive({});
  t.strictSame(texts(flag, { ...flag, metadata: { owner: 'shop' } }), [
    'metadata was {}, now {"owner":"shop"}',
  ]);
});

test('clauses read as sentences', async (t) => {
  const pro: Clause = { attribute: 'plan', operator: 'in', values: ['pro', 'team', 1] };
  t.equal(clausesText([pro]), 'plan is "pro", "team" or 1');
  t.equal(clausesText([{ ...pro, negate: true }]), 'plan is not "pro", "team" or 1');
  t.equal(
    clausesText([{ ...EMPLOYEES, ignoreCase: true }, { segments: ['a', 'b'] }]),
    'email ends with "@example.com" in any case and is in segment "a" or "b"',
  );
  t.equal(
    clausesText([
      { anyOf: [{ attribute: 'x', operator: 'exists', values: [] }, { segments: ['a'] }] },
    ]),
    '(x is given or is in segment "a")',
  );
  const many: Clause = { attribute: 'id', operator: 'in', values: [1, 2, 3, 4, 5, 6, 7] };
  t.equal(clausesText([many]), 'id is 1, 2, 3, 4, 5 or 2 more');
  t.equal(clausesText([]), 'always');
});

test('every operator has words of its own, negated too', async (t) => {
  const words = OPERATORS.flatMap((operator) =>
    [{}, { negate: true } as const].map((more) =>
      clausesText([{ attribute: 'a', operator, values: ['v'], ...more }]),
    ),
  );
  // That something exists is that it does not not exist.
  t.equal(new Set(words).size, words.length - 2);
});

test('a segment is told by its keys, rules and details', async (t) => {
  const before: ExistingSegment = { ...segmentContent('beta'), included: ['a'], status: 'active' };
  const rules = [{ id: 'r', description: '', clauses: [EMPLOYEES] }];
  const told = (after: ExistingSegment | undefined, from: ExistingSegment | undefined = before) =>
    segmentChangesBetween(from, after).map(({ path, text }) => `${path} ${text}`);
  t.strictSame(told({ ...before, included: ['b'], excluded: ['a'] }), [
    '/included "a" no longer included',
    '/included "b" included',
    '/excluded "a" excluded',
  ]);
  t.strictSame(told({ ...before, rules, name: 'Beta', tags: ['x'] }), [
    '/name name was "Segment beta", now "Beta"',
    '/tags tag "x" added',
    '/rules/r rule "r" added: email ends with "@example.com"',
  ]);
  t.strictSame(told({ ...before, status: 'deleted' }), ['/status deleted']);
  t.strictSame(told(before), []);
  t.strictSame(told(undefined), ['/status did not exist']);
  t.match(segmentChangesBetween(undefined, before), [
    { text: 'created as "Segment beta" with 1 included and 0 excluded keys and 0 rules' },
  ]);
});
