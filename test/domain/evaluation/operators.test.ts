import { test } from 'tap';
import { type Context } from '../../../src/domain/evaluation/context.js';
import { compileClause } from '../../../src/domain/evaluation/clauses.js';
import {
  type AttributeClause,
  type Operator,
  OPERATORS,
} from '../../../src/domain/targeting/clause.js';
import { aContext, compileRegex } from '../../support/evaluation.js';
import { fixture } from '../../support/fixture.js';

/** One expectation. Without `value` and `attributes` the attribute is missing. */
type Row = Readonly<{
  kind: string;
  note?: string;
  /** Instead of the table's. */
  values?: AttributeClause['values'];
  negate?: true;
  ignoreCase?: true;
  /** Instead of `value`, for paths. */
  attribute?: string;
  attributes?: Readonly<Record<string, unknown>>;
  targetingKey?: string;
  value?: unknown;
  outcome: 'true' | 'false' | 'unknown';
}>;

type Table = Readonly<{
  operator: Operator;
  values: AttributeClause['values'];
  rows: readonly Row[];
}>;

const KINDS = [
  'match',
  'no match',
  'missing',
  'null',
  'wrong type',
  'negated match',
  'negated no match',
  'negated missing',
  'negated null',
  'negated wrong type',
  'array',
  'empty string',
  'unparsable',
];

const table = (operator: Operator): Table => fixture<Table>(`targeting/${operator}.json`);

const clauseOf = ({ operator, values }: Table, row: Row): AttributeClause => ({
  attribute: row.attribute ?? 'subject',
  operator,
  values: row.values ?? values,
  ...(row.negate === true && { negate: true }),
  ...(row.ignoreCase === true && { ignoreCase: true }),
});

const contextOf = (row: Row): Context => {
  const given = Object.hasOwn(row, 'value') ? { subject: row.value } : {};
  return aContext(row.targetingKey, row.attributes ?? given);
};

const NAMES = { '1': 'true', '0': 'false', '-1': 'unknown' } as const;

const outcomeOf = (wanted: Table, row: Row): string => {
  const { holds } = compileClause(clauseOf(wanted, row), { compileRegex });
  return NAMES[holds(contextOf(row), new Map(), 0)];
};

for (const operator of OPERATORS) {
  test(`${operator}: every row of its table`, async (t) => {
    const wanted = table(operator);
    t.plan(wanted.rows.length + 1);
    t.equal(wanted.operator, operator);
    for (const row of wanted.rows)
      t.equal(outcomeOf(wanted, row), row.outcome, JSON.stringify(row));
  });

  test(`${operator}: its table has every kind of row`, async (t) => {
    const kinds = new Set(table(operator).rows.map(({ kind }) => kind));
    t.strictSame(
      KINDS.filter((kind) => !kinds.has(kind)),
      [],
    );
  });
}
