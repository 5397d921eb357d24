import { MAX_SPLIT_TOTAL, type Split } from '../../../domain/flag/configuration.js';
import { bucketOf, cumulated, shareAt } from '../../../domain/evaluation/bucket.js';
import { murmur3 } from '../../../domain/evaluation/murmur3.js';
import { type Json } from '../../../domain/json.js';
import { isArray, operationOf } from '../place.js';

type Bucketing = Required<Pick<Split, 'bucketBy' | 'salt'>>;

/** A split, and the variant that whoever has an empty text to hash gets; undefined: nothing is hashed for them. */
export type FlagdSplit = Readonly<{ split: Split; ofEmptyText: string | undefined }>;

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
export const splitOf = (argument: Json, flagKey: string): FlagdSplit | undefined => {
  const [first, ...rest] = isArray(argument) ? argument : [];
  if (first === undefined || !isArray(argument)) return undefined;
  const bucketing = bucketingIn(first, flagKey);
  const shares = sharesOf(isArray(first) ? argument : rest);
  if (bucketing === undefined || shares === undefined) return undefined;
  const split: Split = { ...shares, algorithm: 'murmur3-32', ...bucketing };
  return { split, ofEmptyText: isArray(first) ? undefined : ofEmptyText(split) };
};
