import { MAX_SPLIT_TOTAL, type Split } from '../../../domain/flag/configuration.js';
import { type Json } from '../../../domain/json.js';
import { isArray, operationOf } from '../place.js';

type Bucketing = Pick<Split, 'bucketBy' | 'salt'>;

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

/** A split as flagd makes it; undefined when it is none that a split can be. */
export const splitOf = (argument: Json, flagKey: string): Split | undefined => {
  const [first, ...rest] = isArray(argument) ? argument : [];
  if (first === undefined || !isArray(argument)) return undefined;
  const bucketing: Bucketing | undefined = isArray(first)
    ? { bucketBy: 'targetingKey', salt: flagKey }
    : bucketingOf(first, flagKey);
  const shares = sharesOf(isArray(first) ? argument : rest);
  if (bucketing === undefined || shares === undefined) return undefined;
  return { ...shares, algorithm: 'murmur3-32', ...bucketing };
};
