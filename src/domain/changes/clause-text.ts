import {
  type AttributeClause,
  type Clause,
  type ClauseValue,
  type Operator,
  type SegmentClause,
  type SimpleClause,
} from '../targeting/clause.js';

/** How an operator reads between an attribute and its values, as it is and negated. */
const VERBS: Readonly<Record<Operator, readonly [verb: string, negated: string]>> = {
  in: ['is', 'is not'],
  contains: ['contains', 'does not contain'],
  startsWith: ['starts with', 'does not start with'],
  endsWith: ['ends with', 'does not end with'],
  matches: ['matches', 'does not match'],
  numberEquals: ['equals', 'does not equal'],
  lessThan: ['is less than', 'is not less than'],
  lessThanOrEqual: ['is at most', 'is not at most'],
  greaterThan: ['is greater than', 'is not greater than'],
  greaterThanOrEqual: ['is at least', 'is not at least'],
  before: ['is before', 'is not before'],
  beforeOrAt: ['is at or before', 'is not at or before'],
  after: ['is after', 'is not after'],
  afterOrAt: ['is at or after', 'is not at or after'],
  semverEquals: ['is version', 'is not version'],
  semverLessThan: ['is a version below', 'is not a version below'],
  semverLessThanOrEqual: ['is a version up to', 'is not a version up to'],
  semverGreaterThan: ['is a version above', 'is not a version above'],
  semverGreaterThanOrEqual: ['is a version from', 'is not a version from'],
  semverTilde: ['is a version that fits ~', 'is not a version that fits ~'],
  semverCaret: ['is a version that fits ^', 'is not a version that fits ^'],
  inCidr: ['is in the network', 'is not in the network'],
  allOf: ['has all of', 'does not have all of'],
  noneOf: ['has none of', 'does not have none of'],
  sizeEquals: ['has the size', 'does not have the size'],
  sizeLessThan: ['has a size below', 'does not have a size below'],
  sizeGreaterThan: ['has a size above', 'does not have a size above'],
  exists: ['is given', 'is not given'],
  notExists: ['is not given', 'is given'],
};

const MAX_SHOWN = 5;
const MAX_LENGTH = 80;

const valueText = (value: ClauseValue): string => {
  const text = JSON.stringify(value);
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
};

/** Alternatives as a person reads them; the rest of a long list is counted. */
const either = (values: readonly ClauseValue[], joint: 'or' | 'and'): string => {
  const shown = values.slice(0, MAX_SHOWN).map(valueText);
  const hidden = values.length - shown.length;
  if (hidden > 0) return `${shown.join(', ')} ${joint} ${hidden} more`;
  const last = shown.at(-1) ?? 'nothing';
  return shown.length < 2 ? last : `${shown.slice(0, -1).join(', ')} ${joint} ${last}`;
};

const attributeText = (clause: AttributeClause): string => {
  const { attribute, operator, values, negate, ignoreCase } = clause;
  const verb = VERBS[operator][negate ? 1 : 0];
  const wanted =
    values.length === 0 ? '' : ` ${either(values, operator === 'allOf' ? 'and' : 'or')}`;
  return `${attribute} ${verb}${wanted}${ignoreCase ? ' in any case' : ''}`;
};

const segmentText = ({ segments, negate }: SegmentClause): string =>
  `${negate ? 'is not in segment' : 'is in segment'} ${either(segments, 'or')}`;

const simpleText = (clause: SimpleClause): string =>
  'segments' in clause ? segmentText(clause) : attributeText(clause);

const clauseText = (clause: Clause): string =>
  'anyOf' in clause ? `(${clause.anyOf.map(simpleText).join(' or ')})` : simpleText(clause);

/** `email ends with "@example.com" and (plan is "pro" or is in segment "friends")`; `always` without clauses. */
export const clausesText = (clauses: readonly Clause[]): string =>
  clauses.length === 0 ? 'always' : clauses.map(clauseText).join(' and ');
