import { type Prerequisite, type Rule, type Serve, wholeVariant } from '../flag/configuration.js';
import { countClauses, type EvaluationPorts } from './clauses.js';
import {
  type AnswerFor,
  type CompiledRule,
  compileRule,
  type RuleStep,
  ruleSteps,
} from './rules.js';
import { type Reason, type Resolution, type Ruleset } from './ruleset.js';
import { type CompiledSplit, compileSplit } from './split.js';
import { emptyMemo, type Memo } from './work.js';

/** A ruleset made ready: every answer it can give exists already. */
export type CompiledFlag<Answer> = Readonly<{
  ruleset: Ruleset;
  /** The only answer of a flag that does not look at the context. */
  constant: Answer | undefined;
  prerequisites: readonly Prerequisite[];
  /** Served when a prerequisite is not met. */
  prerequisiteFailed: Answer;
  /** Targeting key → answer. */
  targets: ReadonlyMap<string, Answer>;
  rules: readonly CompiledRule<Answer>[];
  /** The same rules, as they are tried. */
  steps: readonly RuleStep<Answer>[];
  /** Split of the fallthrough, unless one variant has the whole weight. */
  split: CompiledSplit<Answer> | undefined;
  /** Served when nothing else applies; without a value when the split could not be made. */
  fallthrough: Answer;
  /** When finding out takes more steps than it may. */
  tooCostly: Answer;
  /** For all rules together. */
  clauses: number;
  /** As a prerequisite of others. */
  memo: Memo<Answer | undefined>;
}>;

/** Makes a resolution into what the caller wants to have at hand, once per resolution and change. */
export type Prepare<Answer> = (resolution: Resolution) => Answer;

const isFloat = ({ type, variants }: Ruleset): boolean =>
  type === 'number' && variants.some(({ value }) => !Number.isInteger(value));

const factsOf = (ruleset: Ruleset) => ({
  flagKey: ruleset.key,
  flagType: ruleset.type,
  isFloat: isFloat(ruleset),
  flagRevision: ruleset.revision,
});

/** Without a value, because finding it out would take too long. */
const unresolved = (ruleset: Ruleset): Resolution =>
  Object.freeze({ ...factsOf(ruleset), reason: 'ERROR', errorCode: 'GENERAL' });

const resolver = (ruleset: Ruleset) => {
  const about = factsOf(ruleset);
  return (name: string | null | undefined, reason: Reason, ruleId?: string): Resolution => {
    const why = ruleId === undefined ? { reason } : { reason, ruleId };
    if (name === null) return Object.freeze({ ...about, ...why });
    const found = ruleset.variants.find((candidate) => candidate.name === name);
    return found === undefined
      ? Object.freeze({ ...about, ...why, reason: 'ERROR', errorCode: 'GENERAL' })
      : Object.freeze({ ...about, ...why, value: found.value, variant: found.name });
  };
};

const compileTargets = <Answer>({ configuration }: Ruleset, answer: AnswerFor<Answer>) => {
  const targets = new Map<string, Answer>();
  for (const { variant, keys } of configuration.targets) {
    const targeted = answer(variant, 'TARGETING_MATCH');
    // A key in two lists gets the first.
    for (const key of keys) if (!targets.has(key)) targets.set(key, targeted);
  }
  return targets;
};

/** The fallthrough of a flag that serves one variant, or none, to all who come to it. */
const fixedFallthrough = (
  fallthrough: Serve,
  looksAtContext: boolean,
): readonly [variant: string | null | undefined, reason: Reason] => {
  if ('split' in fallthrough) return [wholeVariant(fallthrough.split), 'SPLIT'];
  const { variant } = fallthrough;
  return [variant, looksAtContext || variant === null ? 'DEFAULT' : 'STATIC'];
};

const compileFallthrough = <Answer>(
  { configuration: { fallthrough }, salt }: Ruleset,
  looksAtContext: boolean,
  answer: AnswerFor<Answer>,
) => {
  if ('split' in fallthrough && wholeVariant(fallthrough.split) === undefined) {
    const split = compileSplit(fallthrough.split, salt, (variant) => answer(variant, 'SPLIT'));
    return { constant: undefined, split, fallthrough: answer(null, 'DEFAULT') };
  }
  const last = answer(...fixedFallthrough(fallthrough, looksAtContext));
  return { constant: looksAtContext ? undefined : last, split: undefined, fallthrough: last };
};

const compileLive = <Answer>(
  ruleset: Ruleset,
  answer: AnswerFor<Answer>,
  ports: EvaluationPorts,
) => {
  const { prerequisites = [], rules: given = [], offVariant } = ruleset.configuration;
  const { key, salt, variants } = ruleset;
  const targets = compileTargets(ruleset, answer);
  const rules = given.map((rule) => compileRule(rule, { key, salt, variants, answer }, ports));
  const looksAtContext = prerequisites.length + rules.length + targets.size > 0;
  const prerequisiteFailed = answer(offVariant, 'PREREQUISITE_FAILED');
  const last = compileFallthrough(ruleset, looksAtContext, answer);
  return { prerequisites, prerequisiteFailed, targets, rules, steps: ruleSteps(rules), ...last };
};

const compileOff = <Answer>(off: Answer) => ({
  constant: off,
  prerequisites: [],
  prerequisiteFailed: off,
  targets: new Map<string, Answer>(),
  rules: [],
  steps: [],
  split: undefined,
  fallthrough: off,
});

const clausesOf = ({ rules }: Readonly<{ rules: readonly Readonly<{ rule: Rule }>[] }>): number =>
  rules.reduce((sum, { rule }) => sum + countClauses(rule.clauses), 0);

/** Does once, when a ruleset changes, what need not be done per evaluation. */
export const compile = <Answer extends object>(
  ruleset: Ruleset,
  prepare: Prepare<Answer>,
  ports: EvaluationPorts,
): CompiledFlag<Answer> => {
  const resolve = resolver(ruleset);
  const answer: AnswerFor<Answer> = (...asked) => prepare(resolve(...asked));
  const { enabled, offVariant } = ruleset.configuration;
  const isLive = enabled && !ruleset.isArchived;
  const tooCostly = prepare(unresolved(ruleset));
  const compiled = isLive
    ? compileLive(ruleset, answer, ports)
    : compileOff(answer(offVariant, 'DISABLED'));
  return {
    ruleset,
    ...compiled,
    tooCostly,
    clauses: clausesOf(compiled),
    memo: emptyMemo(undefined),
  };
};
