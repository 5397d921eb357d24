import { test } from 'tap';
import { DomainError } from '../../../src/domain/decider.js';
import {
  type AttributeClause,
  type Clause,
  OPERANDS,
  OPERATORS,
} from '../../../src/domain/targeting/clause.js';
import {
  requireValidAttribute,
  requireValidClauses,
} from '../../../src/domain/targeting/valid-clauses.js';
import { compileRegex } from '../../../src/infrastructure/re2-regex-compiler.js';

const refusal = (clauses: readonly Clause[]): readonly string[] => {
  try {
    requireValidClauses(clauses, 'rules[2]', { compileRegex });
    return ['valid'];
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return [error.code, error.message];
  }
};

const clause = (
  operator: AttributeClause['operator'],
  values: AttributeClause['values'],
  more: Partial<AttributeClause> = {},
): AttributeClause => ({ attribute: 'user.plan', operator, values, ...more });

const VALID: Readonly<Record<string, AttributeClause['values']>> = {
  scalar: ['pro', '', 7, true],
  text: ['pro'],
  pattern: ['^a|b$'],
  number: [-2.5],
  instant: ['2026-03-01T12:00:00+01:00'],
  version: ['v2.1'],
  network: ['10.0.0.0/8'],
  size: [0],
  none: [],
};

test('every operator takes values of its kind, and says what it wants otherwise', async (t) => {
  t.plan(OPERATORS.length * 2);
  for (const operator of OPERATORS) {
    const { kind, areMany } = OPERANDS[operator];
    t.strictSame(refusal([clause(operator, VALID[kind] ?? [])]), ['valid'], operator);
    const wrong = kind === 'scalar' ? ['x'.repeat(1_025)] : [kind === 'number' ? '7' : -1.5];
    const [code, message = ''] = refusal([clause(operator, wrong)]);
    const place = kind === 'none' ? 'values' : 'values[0]';
    t.ok(
      code === 'invalid-clause' &&
        message.startsWith(`rules[2].clauses[0].${place}: "${operator}" takes`),
      `${operator}, ${areMany}: ${message}`,
    );
  }
});

test('lists are neither empty nor endless', async (t) => {
  const valid = clause('in', ['a']);
  const many = Array.from({ length: 51 }, () => valid);
  const [tooMany] = refusal([
    clause(
      'in',
      Array.from({ length: 1_001 }, (_, index) => index),
    ),
  ]);
  t.equal(tooMany, 'invalid-clause');
  t.match(refusal([clause('in', [])])[1], /"in" takes 1 to 1000 values, not 0/);
  t.match(refusal([clause('lessThan', [1, 2])])[1], /"lessThan" takes one value, not 2/);
  t.match(refusal([{ anyOf: [] }])[1], /clauses\[0\]\.anyOf: Name at least one clause/);
  t.match(refusal([{ anyOf: many }])[1], /There are 51 clauses/);
  t.match(refusal(many)[1], /rules\[2\]\.clauses: There are 51 clauses/);
  t.match(refusal([{ segments: [] }])[1], /clauses\[0\]\.segments: Name at least one segment/);
  t.strictSame(refusal([]), ['valid']);
  t.strictSame(refusal([{ segments: ['beta'] }, { anyOf: [valid, { segments: ['a'] }] }]), [
    'valid',
  ]);
});

test('a message names the very clause, also within a group', async (t) => {
  const wrong = clause('semverEquals', ['1.2.3', 'one']);
  t.match(
    refusal([clause('in', ['a']), { anyOf: [clause('in', ['a']), wrong] }])[1],
    /^rules\[2\]\.clauses\[1\]\.anyOf\[1\]\.values\[1\]: "semverEquals" takes a semantic version/,
  );
});

test('a regular expression that is none is refused and shows where', async (t) => {
  const [code, message] = refusal([clause('matches', ['ok', 'ab[z-a]c'])]);
  t.equal(code, 'invalid-regex');
  t.match(message, /clauses\[0\]\.values\[1\]: "ab\[z-a\]c".*`z-a` at character 4/);
  t.equal(refusal([clause('matches', ['(?=x)'])])[0], 'invalid-regex');
  t.equal(refusal([clause('matches', ['(a)\\1'])])[0], 'invalid-regex');
  t.equal(refusal([clause('matches', ['x'.repeat(513)])])[0], 'invalid-clause');
  t.equal(refusal([clause('matches', [''])])[0], 'invalid-clause');
});

test('only operators that compare text ignore case', async (t) => {
  t.plan(OPERATORS.length);
  for (const operator of OPERATORS) {
    const { kind, haveCase } = OPERANDS[operator];
    const [code, message] = refusal([clause(operator, VALID[kind] ?? [], { ignoreCase: true })]);
    t.equal(code, haveCase ? 'valid' : 'invalid-clause', `${operator} ${message ?? ''}`);
  }
});

test('attributes are paths', async (t) => {
  const isValid = (path: string): boolean => {
    try {
      requireValidAttribute(path, 'bucketBy');
      return true;
    } catch {
      return false;
    }
  };
  for (const path of ['a', 'a.b', 'a\\.b', 'a\\\\', 'ü .x', 'targetingKey', '$now'])
    t.ok(isValid(path), path);
  const deep = Array.from({ length: 11 }, () => 'a').join('.');
  for (const path of ['', '.', 'a.', '.a', 'a..b', 'a\\', 'a\\b', 'x'.repeat(257), deep])
    t.notOk(isValid(path), path);
  t.match(refusal([clause('exists', [], { attribute: '$later' })])[1], /there is "\$now"/);
  t.strictSame(refusal([clause('after', [0], { attribute: '$now' })]), ['valid']);
});
