import { type Split } from '../flag/configuration.js';
import { cumulated } from './bucket.js';
import { type HashPrefix, hashPrefix } from './murmur3.js';
import { type Reason, type Resolution } from './resolution.js';
import { type Ruleset } from './ruleset.js';

/** Shares of a split with all that can be known before the bucketing value is. */
export type CompiledSplit<Answer> = Readonly<{
  bucketBy: string;
  salt: HashPrefix;
  total: number;
  sums: readonly number[];
  answers: readonly Answer[];
}>;

/** A ruleset made ready: every answer it can give exists already. */
export type CompiledFlag<Answer> = Readonly<{
  ruleset: Ruleset;
  /** The only answer of a flag that does not look at the context. */
  constant: Answer | undefined;
  /** Targeting key → answer. */
  targets: ReadonlyMap<string, Answer>;
  split: CompiledSplit<Answer> | undefined;
  /** For whom nothing else holds; without a value when the split could not be made. */
  fallthrough: Answer;
}>;

/** Makes a resolution into what the caller wants to have at hand, once per resolution and change. */
export type Prepare<Answer> = (resolution: Resolution) => Answer;

const isFloat = ({ type, variants }: Ruleset): boolean =>
  type === 'number' && variants.some(({ value }) => !Number.isInteger(value));

const resolve = (ruleset: Ruleset, name: string | null, reason: Reason): Resolution => {
  const about = {
    flagKey: ruleset.key,
    flagType: ruleset.type,
    isFloat: isFloat(ruleset),
    flagRevision: ruleset.revision,
  };
  if (name === null) return Object.freeze({ ...about, reason });
  const variant = ruleset.variants.find((candidate) => candidate.name === name);
  return variant === undefined
    ? Object.freeze({ ...about, reason: 'ERROR', errorCode: 'GENERAL' })
    : Object.freeze({ ...about, reason, value: variant.value, variant: name });
};

type AnswerFor<Answer> = (variant: string | null, reason: Reason) => Answer;

const compileTargets = <Answer>({ configuration }: Ruleset, answer: AnswerFor<Answer>) => {
  const targets = new Map<string, Answer>();
  for (const { variant, keys } of configuration.targets) {
    const targeted = answer(variant, 'TARGETING_MATCH');
    // A key in two lists gets the first.
    for (const key of keys) if (!targets.has(key)) targets.set(key, targeted);
  }
  return targets;
};

const compileSplit = <Answer>(split: Split, flagSalt: string, answer: AnswerFor<Answer>) => ({
  bucketBy: split.bucketBy,
  salt: hashPrefix(split.salt ?? flagSalt),
  total: split.total,
  sums: cumulated(split.weights.map(({ weight }) => weight)),
  answers: split.weights.map(({ variant }) => answer(variant, 'SPLIT')),
});

const compileLive = <Answer>(ruleset: Ruleset, answer: AnswerFor<Answer>) => {
  const { fallthrough: served } = ruleset.configuration;
  const targets = compileTargets(ruleset, answer);
  if ('split' in served) {
    const split = compileSplit(served.split, ruleset.salt, answer);
    return { constant: undefined, targets, split, fallthrough: answer(null, 'DEFAULT') };
  }
  const isStatic = targets.size === 0;
  const fallthrough = answer(served.variant, isStatic ? 'STATIC' : 'DEFAULT');
  return { constant: isStatic ? fallthrough : undefined, targets, split: undefined, fallthrough };
};

/** Does once, when a ruleset changes, what need not be done per evaluation. */
export const compile = <Answer extends object>(
  ruleset: Ruleset,
  prepare: Prepare<Answer>,
): CompiledFlag<Answer> => {
  const answer: AnswerFor<Answer> = (variant, reason) => prepare(resolve(ruleset, variant, reason));
  const { enabled, offVariant } = ruleset.configuration;
  if (enabled && !ruleset.isArchived) return { ruleset, ...compileLive(ruleset, answer) };
  const off = answer(offVariant, 'DISABLED');
  return { ruleset, constant: off, targets: new Map(), split: undefined, fallthrough: off };
};
