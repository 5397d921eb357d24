import { wholeVariant } from '../../../domain/flag/configuration.js';
import { all, allParts } from '../../../domain/flagd/expressions.js';
import { servedBy } from '../../../domain/flagd/serve-expressions.js';
import { type Json, sameJson } from '../../../domain/json.js';
import { type AttributeClause } from '../../../domain/targeting/clause.js';
import { operationOf } from '../place.js';
import { conditionOf } from './condition.js';
import { type FlagdSplit, splitOf } from './fractional.js';
import { type About, type Branch, type Draft, type Outcome } from './outcome.js';

/** A split among variants that the flag has. */
const knownSplit = (argument: Json, about: About): FlagdSplit | undefined => {
  const found = splitOf(argument, about.flagKey);
  const isKnown = found?.split.weights.every(({ variant }) => about.variants.includes(variant));
  return isKnown === true ? found : undefined;
};

const withoutUnit = (
  { split, ofEmptyText }: FlagdSplit,
  { defaultVariant }: About,
): readonly Draft[] => {
  const attribute = split.bucketBy;
  const missing: AttributeClause = { attribute, operator: 'notExists', values: [] };
  const empty: AttributeClause = { attribute, operator: 'in', values: [''] };
  const serve = { variant: defaultVariant };
  return ofEmptyText === undefined || ofEmptyText === defaultVariant
    ? [{ clauses: [{ anyOf: [missing, empty] }], serve }]
    : [
        { clauses: [missing], serve },
        { clauses: [empty], serve: { variant: ofEmptyText } },
      ];
};

/**
 * flagd serves the default variant to those who cannot be bucketed; a rule's split would leave them to the next rule. A
 * text that is empty is hashed where the file says what to hash, and all such users share the variant that comes to.
 */
export const splitOutcome = (argument: Json, about: About): Outcome | undefined => {
  const found = knownSplit(argument, about);
  if (found === undefined) return undefined;
  const { split } = found;
  const drafts = wholeVariant(split) === undefined ? withoutUnit(found, about) : [];
  return { drafts, rest: { split } };
};

/** The clauses of a condition that ends with this question. */
const clausesBefore = (
  condition: Json,
  question: Json,
  about: About,
): Draft['clauses'] | undefined => {
  const asked = allParts(condition);
  if (!sameJson(asked.at(-1) ?? null, question)) return undefined;
  const [clauses, ...more] = conditionOf(all(asked.slice(0, -1)), about.segments) ?? [];
  return more.length > 0 ? undefined : clauses;
};

/** A split as an export writes it: behind the question whether there is something to hash. */
export const guardedSplit = ({ condition, result }: Branch, about: About): Draft | undefined => {
  const operation = operationOf(result);
  const found =
    operation?.name === 'fractional' ? knownSplit(operation.argument, about) : undefined;
  if (found === undefined) return undefined;
  const { split } = found;
  const clauses = clausesBefore(condition, servedBy({ split }, '').isPossible, about);
  return clauses === undefined ? undefined : { clauses, serve: { split } };
};

/** A split over everyone with something for whom it has nothing to hash: a rule must have clauses. */
export const isCutShort = (
  drafts: readonly Draft[],
  rest: readonly Json[],
  about: About,
): boolean => {
  const [draft] = drafts;
  const isSplit = draft !== undefined && draft.clauses.length === 0 && 'split' in draft.serve;
  const isLast = rest.length === 0 && about.defaultVariant === null;
  return isSplit && wholeVariant(draft.serve.split) === undefined && !isLast;
};
