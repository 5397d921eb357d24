import { type Context } from '../evaluation/context.js';
import { compileLogic } from '../evaluation/logic/compile.js';
import { type Json } from '../json.js';
import { type AttributeClause, type ClauseValue, type Operator } from '../targeting/clause.js';
import { isArray, operationOf } from './place.js';

const clause = (
  attribute: string,
  operator: Operator,
  ...values: readonly ClauseValue[]
): readonly AttributeClause[] => [{ attribute, operator, values }];

const VERSION = /^(\d+)\.(\d+)\.\d+(-[0-9A-Za-z.-]+)?$/;

const VERSION_ORDER: Readonly<Record<string, Operator>> = {
  '=': 'semverEquals',
  '<': 'semverLessThan',
  '<=': 'semverLessThanOrEqual',
  '>': 'semverGreaterThan',
  '>=': 'semverGreaterThanOrEqual',
};

/** flagd's `~` and `^` compare leading numbers: from the first pre-release there is to that of the next. */
const versionRange = (attribute: string, from: string, to: string) => [
  ...clause(attribute, 'semverGreaterThanOrEqual', from),
  ...clause(attribute, 'semverLessThan', to),
];

const orderedVersion = (attribute: string, operator: string, version: string) => {
  if (operator === '!=') {
    const equals = clause(attribute, 'semverEquals', version);
    return equals.map((one) => ({ ...one, negate: true as const }));
  }
  const ours = VERSION_ORDER[operator];
  return ours === undefined ? undefined : clause(attribute, ours, version);
};

/** `[version, operator, version]` with a constant on the right. */
const onVersion = (
  attribute: string,
  operator: Json,
  value: Json,
): readonly AttributeClause[] | undefined => {
  const [version, major, minor] = (typeof value === 'string' ? VERSION.exec(value) : null) ?? [];
  if (version === undefined || typeof operator !== 'string') return undefined;
  if (operator === '^') {
    return versionRange(attribute, `${major}.0.0-0`, `${Number(major) + 1}.0.0-0`);
  }
  return operator === '~'
    ? versionRange(attribute, `${major}.${minor}.0-0`, `${major}.${Number(minor) + 1}.0-0`)
    : orderedVersion(attribute, operator, version);
};

/** One question about one attribute, and flagd's answer when it is absent. Several clauses: all must be true. */
export type Question = Readonly<{
  clauses: readonly AttributeClause[];
  /** Not there when the attribute never is absent. */
  whenAbsent?: boolean;
}>;

type Asked = Readonly<{ attribute: string; value: Json }>;

type Ask = (asked: Asked) => readonly AttributeClause[] | undefined;

const nobody: Context = { targetingKey: undefined, attributes: {}, nowMs: 0 };

const FLAGD_TIMESTAMP = '$flagd.timestamp';

/** Names that both sides read alike: no escapes, no list positions, nothing that texts and lists have by themselves. */
const isPlainName = (name: string): boolean =>
  /^[^$\\/][^\\/]*$/.test(name) && !/^(\d+|length)$/.test(name);

const attributeOf = (expression: Json | undefined): string | undefined => {
  const found = operationOf(expression);
  if (found?.name !== 'var') return undefined;
  const path =
    isArray(found.argument) && found.argument.length === 1 ? found.argument[0] : found.argument;
  if (path === FLAGD_TIMESTAMP) return path;
  const isPlain = typeof path === 'string' && path.split('.').every(isPlainName);
  return isPlain ? path : undefined;
};

/** A number in the only way that JSON writes it, so that the text and the number are one loose value. */
const numberIn = (text: string): number | undefined =>
  text !== '' && String(Number(text)) === text && Number.isFinite(Number(text))
    ? Number(text)
    : undefined;

/** `==`: texts that read as a number equal that number too. */
const looselyEqual: Ask = ({ attribute, value }) => {
  if (typeof value === 'number') return clause(attribute, 'numberEquals', value);
  if (typeof value === 'boolean') return clause(attribute, 'in', value);
  if (typeof value !== 'string') return undefined;
  const number = numberIn(value);
  return number === undefined
    ? clause(attribute, 'in', value)
    : clause(attribute, 'in', value, number);
};

const identical: Ask = ({ attribute, value }) =>
  typeof value === 'object' ? undefined : clause(attribute, 'in', value);

/** flagd's clock is in whole seconds, ours in milliseconds. */
const onTime = (operator: '<' | '<=' | '>' | '>=', seconds: number) => {
  if (!Number.isSafeInteger(seconds * 1000)) return undefined;
  const [at, after] = [seconds * 1000, (seconds + 1) * 1000];
  const bounds = {
    '<': clause('$now', 'before', at),
    '<=': clause('$now', 'before', after),
    '>': clause('$now', 'afterOrAt', after),
    '>=': clause('$now', 'afterOrAt', at),
  };
  return bounds[operator];
};

const ORDER = {
  '<': 'lessThan',
  '<=': 'lessThanOrEqual',
  '>': 'greaterThan',
  '>=': 'greaterThanOrEqual',
} as const;

const ordered =
  (operator: keyof typeof ORDER): Ask =>
  ({ attribute, value }) => {
    if (typeof value !== 'number') return undefined;
    return attribute === FLAGD_TIMESTAMP
      ? onTime(operator, value)
      : clause(attribute, ORDER[operator], value);
  };

const isClauseValue = (value: Json): value is ClauseValue => typeof value !== 'object';

const inList: Ask = ({ attribute, value }) =>
  isArray(value) && value.length > 0 && value.every(isClauseValue)
    ? clause(attribute, 'in', ...value)
    : undefined;

const onText =
  (operator: Operator): Ask =>
  ({ attribute, value }) =>
    typeof value === 'string' && value !== '' ? clause(attribute, operator, value) : undefined;

const COMPARISONS: Readonly<Record<string, Ask>> = {
  '==': looselyEqual,
  '===': identical,
  '<': ordered('<'),
  '<=': ordered('<='),
  '>': ordered('>'),
  '>=': ordered('>='),
  in: inList,
  starts_with: onText('startsWith'),
  ends_with: onText('endsWith'),
};

/** The same comparison with its sides exchanged. */
const MIRRORED: Readonly<Record<string, string>> = {
  '==': '==',
  '===': '===',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

const comparison = (name: string | undefined, attribute: string | undefined, value: Json) => {
  const ask = name === undefined ? undefined : COMPARISONS[name];
  return attribute === undefined ? undefined : ask?.({ attribute, value });
};

const clausesOf = (name: string, list: readonly Json[]): readonly AttributeClause[] | undefined => {
  const [left = null, right = null, third = null] = list;
  const attribute = attributeOf(left);
  if (name === 'sem_ver') {
    return attribute === undefined ? undefined : onVersion(attribute, right, third);
  }
  if (list.length !== 2) return undefined;
  return comparison(name, attribute, right) ?? comparison(MIRRORED[name], attributeOf(right), left);
};

/** flagd's own answer to somebody without attributes; undefined when it fails for them. */
const answerWhenAbsent = (name: string, list: readonly Json[]): boolean | undefined => {
  const answer = compileLogic({ '!!': [{ [name]: list }] }, '')(nobody);
  return typeof answer === 'string' ? answer === 'true' : undefined;
};

/** The clauses that ask the same as one comparison with a constant; undefined when none do. */
export const questionOf = (name: string, list: readonly Json[]): Question | undefined => {
  const clauses = clausesOf(name, list);
  if (clauses === undefined) return undefined;
  if (clauses[0]?.attribute === '$now') return { clauses };
  const whenAbsent = answerWhenAbsent(name, list);
  return whenAbsent === undefined ? undefined : { clauses, whenAbsent };
};
