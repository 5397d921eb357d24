import { MAX_SPLIT_TOTAL, type Serve, type Split } from '../../domain/flag/configuration.js';
import { type Json } from '../../domain/json.js';
import { isArray, isObject, refuseAt } from './place.js';

type Where = Readonly<{ flagKey: string; place: string }>;

type Bucketing = Pick<Split, 'bucketBy' | 'salt'>;

/** The argument of an expression with one given operator. */
const argumentOf = (expression: Json | undefined, operator: string): Json | undefined =>
  isObject(expression) && Object.keys(expression).length === 1 ? expression[operator] : undefined;

const variableName = (expression: Json | undefined): string | undefined => {
  const name = argumentOf(expression, 'var');
  return typeof name === 'string' && name !== '' && !name.startsWith('$flagd') ? name : undefined;
};

const saltOf = (expression: Json | undefined, flagKey: string): string | undefined => {
  if (typeof expression === 'string') return expression;
  return argumentOf(expression, 'var') === '$flagd.flagKey' ? flagKey : undefined;
};

/** `fractional` hashes what its first argument says: a variable, or a salt (mostly the flag key) and a variable joined. */
const parseBucketing = (expression: Json, { flagKey, place }: Where): Bucketing => {
  const joined = argumentOf(expression, 'cat');
  const [first, second] = isArray(joined) && joined.length === 2 ? joined : ['', expression];
  const [salt, bucketBy] = [saltOf(first, flagKey), variableName(second)];
  return salt === undefined || bucketBy === undefined
    ? refuseAt(place, 'hashes something that cannot be expressed yet')
    : { bucketBy, salt };
};

const parseShare = (share: Json, place: string): Split['weights'][number] => {
  const [variant, weight = 1] = isArray(share) ? share : [];
  const isWeight = typeof weight === 'number' && Number.isInteger(weight) && weight >= 0;
  return typeof variant === 'string' && isWeight
    ? { variant, weight }
    : refuseAt(place, 'must be [variant, weight] with a non-negative integer weight');
};

const parseFractional = (elements: readonly Json[], where: Where): Split => {
  const [first] = elements;
  const hasBucketing = first !== undefined && !isArray(first);
  const bucketing: Bucketing = hasBucketing
    ? parseBucketing(first, { ...where, place: `${where.place}/fractional/0` })
    : { bucketBy: 'targetingKey', salt: where.flagKey };
  const shares = hasBucketing ? elements.slice(1) : elements;
  const weights = shares.map((share) => parseShare(share, `${where.place}/fractional`));
  const total = weights.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0 || total > MAX_SPLIT_TOTAL) {
    refuseAt(`${where.place}/fractional`, `has weights that add up to ${total}, not 1 to 2^20`);
  }
  return { weights, total, algorithm: 'murmur3-32', ...bucketing };
};

/**
 * The targeting of a flagd flag, as far as it can be expressed: a split over all users.
 * @throws DomainError `cannot-import`
 */
export const parseTargeting = (targeting: Json, where: Where): Serve => {
  const fractional = argumentOf(targeting, 'fractional');
  return isArray(fractional)
    ? { split: parseFractional(fractional, where) }
    : refuseAt(where.place, 'cannot be expressed yet: only a fractional split over all users can');
};
