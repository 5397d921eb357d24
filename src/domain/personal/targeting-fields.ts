import { type Configuration, type Rule, type Target } from '../flag/configuration.js';
import { type FlagContent } from '../flag/events.js';
import { type SegmentContent, type SegmentRule } from '../segment.js';
import {
  type AttributeClause,
  type Clause,
  type ClauseValue,
  type SimpleClause,
} from '../targeting/clause.js';
import { type Rewrite, rewriteEmail, rewriteValue } from './person.js';
import { isSealed, mapTexts } from './sealed-text.js';

/** Where a person is named: as a target of a variant, in a rule, or in one of a segment's lists. */
export type Place = Readonly<
  | { where: 'target'; environment: string | null; variant: string }
  | { where: 'rule'; environment: string | null; ruleId: string }
  | { where: 'included' | 'excluded' }
>;

type Names = (text: string) => boolean;

const isNamedIn = (value: unknown, names: Names): boolean => {
  let isNamed = false;
  mapTexts(value, (text) => {
    isNamed ||= names(text);
    return text;
  });
  return isNamed;
};

const inRules = (
  rules: readonly Readonly<{ id: string }>[],
  environment: string | null,
  names: Names,
): readonly Place[] =>
  rules
    .filter((rule) => isNamedIn(rule, names))
    .map(({ id }) => ({ where: 'rule', environment, ruleId: id }));

const inConfiguration = (
  { targets, rules = [] }: Configuration,
  environment: string | null,
  names: Names,
): readonly Place[] => [
  ...targets
    .filter(({ keys }) => keys.some(names))
    .map(({ variant }): Place => ({ where: 'target', environment, variant })),
  ...inRules(rules, environment, names),
];

/** `environment` is null in what holds for every environment without a configuration of its own. */
export const placesInFlag = (flag: FlagContent, names: Names): readonly Place[] => [
  ...inConfiguration(flag.defaults, null, names),
  ...Object.entries(flag.environments).flatMap(([environment, own]) =>
    inConfiguration(own, environment, names),
  ),
];

export const placesInSegment = (segment: SegmentContent, names: Names): readonly Place[] => [
  ...(segment.included.some(names) ? [{ where: 'included' } as const] : []),
  ...(segment.excluded.some(names) ? [{ where: 'excluded' } as const] : []),
  ...inRules(segment.rules, null, names),
];

/** The operators whose values are whole targeting keys, not parts of some. */
const WHOLE = ['in', 'allOf', 'noneOf'];

const keys = (list: readonly string[], rewrite: Rewrite): readonly string[] =>
  list.map((key) => rewriteValue(key, rewrite));

/** Which values of a clause are personal: those on `targetingKey`, and e-mail addresses anywhere. */
const clauseValue = (
  { attribute, operator }: AttributeClause,
  value: ClauseValue,
  rewrite: Rewrite,
): ClauseValue => {
  if (typeof value !== 'string') return value;
  const isKey = attribute === 'targetingKey' && WHOLE.includes(operator);
  return isKey ? rewriteValue(value, rewrite) : rewriteEmail(value, rewrite);
};

const simpleClause = (clause: SimpleClause, rewrite: Rewrite): SimpleClause =>
  'segments' in clause
    ? clause
    : { ...clause, values: clause.values.map((value) => clauseValue(clause, value, rewrite)) };

const clauses = (list: readonly Clause[], rewrite: Rewrite): readonly Clause[] =>
  list.map((clause) =>
    'anyOf' in clause
      ? { ...clause, anyOf: clause.anyOf.map((simple) => simpleClause(simple, rewrite)) }
      : simpleClause(clause, rewrite),
  );

export const segmentRules = (
  rules: readonly SegmentRule[],
  rewrite: Rewrite,
): readonly SegmentRule[] =>
  rules.map((rule) => ({ ...rule, clauses: clauses(rule.clauses, rewrite) }));

/** Expressions are free in form: the e-mail addresses in them are personal. */
export const flagRules = (rules: readonly Rule[], rewrite: Rewrite): readonly Rule[] =>
  rules.map((rule) => ({
    ...rule,
    clauses: clauses(rule.clauses, rewrite),
    serve:
      'logic' in rule.serve
        ? mapTexts(rule.serve, (text) => rewriteEmail(text, rewrite))
        : rule.serve,
  }));

export const targets = (list: readonly Target[], rewrite: Rewrite): readonly Target[] =>
  list.map((target) => ({ ...target, keys: keys(target.keys, rewrite) }));

export const configuration = (whole: Configuration, rewrite: Rewrite): Configuration => ({
  ...whole,
  targets: targets(whole.targets, rewrite),
  ...(whole.rules && { rules: flagRules(whole.rules, rewrite) }),
});

export const flagContent = <C extends FlagContent>(content: C, rewrite: Rewrite): C => ({
  ...content,
  defaults: configuration(content.defaults, rewrite),
  environments: Object.fromEntries(
    Object.entries(content.environments).map(([key, own]) => [key, configuration(own, rewrite)]),
  ),
});

export const segmentKeys = <K extends Pick<SegmentContent, 'included' | 'excluded'>>(
  lists: K,
  rewrite: Rewrite,
): K => ({
  ...lists,
  included: keys(lists.included, rewrite),
  excluded: keys(lists.excluded, rewrite),
});

export const segmentContent = (content: SegmentContent, rewrite: Rewrite): SegmentContent => ({
  ...segmentKeys(content, rewrite),
  rules: segmentRules(content.rules, rewrite),
});

/** Whether no personal text is left that is not sealed. */
const leavesNone = (rewriteAll: (rewrite: Rewrite) => unknown): boolean => {
  let isAllSealed = true;
  rewriteAll(({ text }) => {
    isAllSealed &&= isSealed(text);
    return text;
  });
  return isAllSealed;
};

export const isSealedFlag = (flag: FlagContent): boolean =>
  leavesNone((rewrite) => flagContent(flag, rewrite));

export const isSealedSegment = (segment: SegmentContent): boolean =>
  leavesNone((rewrite) => segmentContent(segment, rewrite));
