import { type Json, type JsonObject } from '../json.js';
import { type Configuration } from './configuration.js';

const listOf = (value: Json | undefined): readonly Json[] =>
  Array.isArray(value) ? (value as readonly Json[]) : [];

/** Of `[condition, result, condition, result, …, else]`. */
const results = (branches: readonly Json[]): readonly Json[] =>
  branches.filter((_, index) => index % 2 === 1 || index === branches.length - 1);

/** What an expression says outright that it results in: as a constant, by a branch of an `if`, in a `fractional`. */
const plainResults = (logic: Json): readonly Json[] => {
  if (typeof logic !== 'object') return [logic];
  const { if: branches, fractional } = (logic ?? {}) as JsonObject;
  const shares = listOf(fractional).flatMap((share) => listOf(share).slice(0, 1));
  return [...results(listOf(branches)).flatMap(plainResults), ...shares];
};

/** Names of variants, and others, that expressions of a configuration plainly name. What they compute is not known. */
export const namedVariants = ({ rules = [] }: Configuration): ReadonlySet<string> =>
  new Set(
    rules
      .flatMap(({ serve }) => ('logic' in serve ? plainResults(serve.logic) : []))
      .flatMap((result) => (typeof result === 'object' ? [] : [String(result)])),
  );
