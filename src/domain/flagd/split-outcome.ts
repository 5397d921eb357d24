import { murmur3 } from '../evaluation/murmur3.js';
import { bucketOf, cumulated, shareAt } from '../evaluation/split.js';
import { MAX_SPLIT_TOTAL, type Split, wholeVariant } from '../flag/configuration.js';
import { type Json, sameJson } from '../json.js';
import { type AttributeClause } from '../targeting/clause.js';
import { conditionOf } from './condition.js';
import { servedBy } from './export.js';
import { all, allParts } from './expressions.js';
import { type About, type Branch, type Draft, type Outcome } from './outcome.js';
import { isArray, operationOf } from './place.js';

type Bucketing = Required<Pick<Split, 'bucketBy' | 'salt'>>;

/** A split, and the variant that whoever has an empty text to hash gets; undefined: nothing is hashed for them. */
type FlagdSplit = Readonly<{ split: Split; ofEmptyText: string | undefined }>;

const variableName = (expression: Json | undefined): string | undefined => {
  const found = operationOf(expression);
  const name = found?.name === 'var' ? found.argument : undefined;
  return typeof name === 'string' && /^[^$\\/][^\\/]*$/.test(name) ? name : undefined;
};

const saltOf = (expression: Json | undefined, flagKey: string): string | undefined => {
  if (typeof expression === 'string') return expression;
  const found = operationOf(expression);
  return found?.name === 'var' && found.argument === '$flagd.flagKey' ? flagKey : undefined;
};

/** `fractional` hashes what its first argument says: a variable, or a salt (mostly the flag key) and a variable joined. */
const bucketingOf = (expression: Json, flagKey: string): Bucketing | undefined => {
  const found = operationOf(expression);
  const joined = found?.name === 'cat' ? found.argument : undefined;
  const [first, second] = isArray(joined) && joined.length === 2 ? joined : ['', expression];
  const [salt, bucketBy] = [saltOf(first, flagKey), variableName(second)];
  return salt === undefined || bucketBy === undefined ? undefined : { bucketBy, salt };
};

const shareOf = (share: Json): Split['weights'][number] | undefined => {
  const [variant, weight = 1] = isArray(share) && share.length < 3 ? share : [];
  return typeof variant === 'string' && typeof weight === 'number' && Number.isInteger(weight)
    ? { variant, weight: Math.max(0, weight) }
    : undefined;
};

const sharesOf = (entries: readonly Json[]): Pick<Split, 'weights' | 'total'> | undefined => {
  const weights = entries.map(shareOf).filter((share) => share !== undefined);
  const total = weights.reduce((sum, { weight }) => sum + weight, 0);
  const isPossible = weights.length === entries.length && total > 0 && total <= MAX_SPLIT_TOTAL;
  return isPossible ? { weights, total } : undefined;
};

const ofEmptyText = ({ weights, total, salt = '' }: Split): string | undefined => {
  const sums = cumulated(weights.map(({ weight }) => weight));
  return weights[shareAt(sums, bucketOf(murmur3(salt), total))]?.variant;
};

const bucketingIn = (first: Json, flagKey: string): Bucketing | undefined =>
  isArray(first) ? { bucketBy: 'targetingKey', salt: flagKey } : bucketingOf(first, flagKey);

/** A split as flagd makes it; undefined when it is none that a split can be. */
const splitOf = (argument: Json, flagKey: string): FlagdSplit | undefined => {
  const [first, ...rest] = isArray(argument) ? argument : [];
  if (first === undefined || !isArray(argument)) return undefined;
  const bucketing = bucketingIn(first, flagKey);
  const shares = sharesOf(isArray(first) ? argument : rest);
  if (bucketing === undefined || shares === undefined) return undefined;
  const split: Split = { ...shares, algorithm: 'murmur3-32', ...bucketing };
  return { split, ofEmptyText: isArray(first) ? undefined : ofEmptyText(split) };
};

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
