import {
  type Configuration,
  type RuleServe,
  type Serve,
  type Split,
  SPLIT_TOTAL,
} from '../flag/configuration.js';
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

const shareText = (weight: number, total: number): string => {
  const percent = `${Number(((weight * 100) / total).toFixed(3))} %`;
  // Imported totals do not fall on whole 0.001 % steps: the exact weight tells such shares apart.
  return total === SPLIT_TOTAL ? percent : `${percent} (${weight} of ${total})`;
};

const splitText = ({ weights, total, bucketBy, salt }: Split): string => {
  const shares = weights.map(({ variant, weight }) => `${variant} ${shareText(weight, total)}`);
  const by = bucketBy === 'targetingKey' ? '' : ` by "${bucketBy}"`;
  return `${shares.join(' / ')}${by}${salt === undefined ? '' : ` with salt "${salt}"`}`;
};

/** `"on"`, or `none` with what a caller gets then. */
export const variantText = (variant: string | null): string =>
  variant === null ? "none (the caller's own default)" : JSON.stringify(variant);

/** `variant "on"`, `no variant (…)` or `on 25 % / off 75 %`. */
export const serveText = (serve: Serve): string => {
  if ('split' in serve) return splitText(serve.split);
  return serve.variant === null
    ? "no variant (the caller's own default)"
    : `variant ${variantText(serve.variant)}`;
};

/** As `serveText`, or that an expression says it. */
export const ruleServeText = (serve: RuleServe): string =>
  'logic' in serve ? 'the variant that its JSONLogic names' : serveText(serve);

const counted = (count: number, noun: string): string => {
  if (count === 0) return '';
  return `, ${count} ${noun}${count === 1 ? '' : 's'}`;
};

/** A whole configuration in one line. */
export const configurationText = (configuration: Configuration): string => {
  const { enabled, offVariant, fallthrough, targets } = configuration;
  const { rules = [], prerequisites = [] } = configuration;
  const targeted = targets.map(
    ({ variant, keys }) => `, ${keys.length} targeted to ${JSON.stringify(variant)}`,
  );
  const state = enabled ? 'enabled' : 'disabled';
  const more = `${counted(rules.length, 'rule')}${counted(prerequisites.length, 'prerequisite')}`;
  return `${state}, serves ${serveText(fallthrough)}, off variant ${variantText(offVariant)}${targeted.join('')}${more}`;
};
