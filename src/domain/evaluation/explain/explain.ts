import { type Split, wholeVariant } from '../../flag/configuration.js';
import { type CompiledFlag } from '../compile.js';
import { attributeReader, bucketingUnit, type Context } from '../context.js';
import {
  evaluate,
  type EvaluationEnvironment,
  prerequisiteAnswer,
  type Resolved,
} from '../evaluate.js';
import { hashPrefix, murmur3 } from '../murmur3.js';
import { type CompiledRule, servedBy } from '../rules.js';
import { bucketOf, cumulated, shareAt, splitAnswer } from '../split.js';
import { beginFlag, beginRequest, giveUp, REQUEST_STEPS } from '../work.js';
import { type Scope, tryRule } from './explain-clause.js';
import {
  type Explanation,
  type PrerequisiteExplanation,
  type RuleExplanation,
  type SplitExplanation,
  unknownsIn,
} from './explanation.js';

const explainSplit = (split: Split, flagSalt: string, context: Context): SplitExplanation => {
  const { algorithm, bucketBy, weights, total, salt = flagSalt } = split;
  const about = { algorithm, bucketBy, salt, weights, total };
  const unit = bucketingUnit(attributeReader(bucketBy)(context));
  const whole = wholeVariant(split);
  if (unit === undefined) return { ...about, ...(whole !== undefined && { variant: whole }) };
  const hash = murmur3(unit, hashPrefix(salt));
  const bucket = bucketOf(hash, total);
  const variant = weights[shareAt(cumulated(weights.map(({ weight }) => weight)), bucket)]?.variant;
  return { ...about, unit, hash, bucket, ...(variant !== undefined && { variant }) };
};

type Explained<Answer> = Readonly<{ answer: Answer; explanation: Explanation }>;

/** One way through a flag, while it is gone. */
type Way<Answer> = Readonly<{
  flag: CompiledFlag<Answer>;
  context: Context;
  environment: EvaluationEnvironment<Answer>;
}>;

type Tried<Answer> = Readonly<{ rule: RuleExplanation; answer?: Answer | undefined }>;

const resolvedAs = <Answer extends Resolved>(
  flagKey: string,
  { context, environment }: Way<Answer>,
): Answer['resolution'] | undefined => {
  const flag = environment.flags.get(flagKey);
  return flag && prerequisiteAnswer(flag, context, environment, 1)?.resolution;
};

const explainPrerequisites = <Answer extends Resolved>(
  way: Way<Answer>,
): readonly PrerequisiteExplanation[] => {
  const told: PrerequisiteExplanation[] = [];
  for (const { flagKey, variants } of way.flag.prerequisites) {
    const resolution = resolvedAs(flagKey, way);
    const served = resolution?.variant ?? null;
    const isMet = served !== null && variants.includes(served);
    const reason = resolution === undefined ? {} : { reason: resolution.reason };
    told.push({ flagKey, variants, ...reason, served, isMet });
    if (!isMet) break;
  }
  return told;
};

/** What a rule serves for whom it matches; `answer` is undefined when that is nothing. */
const explainServe = <Answer>(compiled: CompiledRule<Answer>, { flag, context }: Way<Answer>) => {
  const { rule, logic } = compiled;
  const answer = servedBy(compiled, context);
  if ('split' in rule.serve) {
    const split = explainSplit(rule.serve.split, flag.ruleset.salt, context);
    return { told: { split }, answer };
  }
  const chose = logic?.run(context);
  return { told: chose === undefined ? {} : { chose }, answer };
};

const explainRule = <Answer>(
  compiled: CompiledRule<Answer>,
  way: Way<Answer>,
  scope: Scope,
): Tried<Answer> => {
  const { id, description } = compiled.rule;
  const trial = tryRule({ ruleId: id, description, clauses: compiled.clauses }, scope);
  if (trial.outcome !== 'true') return { rule: trial };
  const { told, answer } = explainServe(compiled, way);
  const skipped = answer === undefined ? ({ isSkipped: true } as const) : {};
  return { rule: { ...trial, ...told, ...skipped }, answer };
};

/** The rules up to the one that serves something. */
const explainRules = <Answer>(way: Way<Answer>): readonly Tried<Answer>[] => {
  const { context, environment, flag } = way;
  const scope = { context, segments: environment.segments, depth: 0, told: new Set<string>() };
  const tried: Tried<Answer>[] = [];
  for (const rule of flag.rules) {
    const last = explainRule(rule, way, scope);
    tried.push(last);
    if (last.answer !== undefined) break;
  }
  return tried;
};

const explainFallthrough = <Answer>({ flag, context }: Way<Answer>) => {
  const { split, fallthrough, ruleset } = flag;
  const { fallthrough: serve } = ruleset.configuration;
  const answer = (split && splitAnswer(split, context)) ?? fallthrough;
  if (!('split' in serve)) return { told: {}, answer };
  return { told: { split: explainSplit(serve.split, ruleset.salt, context) }, answer };
};

const explainLive = <Answer extends Resolved>(way: Way<Answer>): Explained<Answer> => {
  const { flag, context } = way;
  const prerequisites = explainPrerequisites(way);
  const start = { nowMs: context.nowMs, prerequisites, rules: [], unknowns: [] };
  if (prerequisites.some(({ isMet }) => !isMet)) {
    const explanation = { ...start, decidedBy: 'prerequisites' } as const;
    return { answer: flag.prerequisiteFailed, explanation };
  }
  const { targetingKey: target } = context;
  const targeted = target === undefined ? undefined : flag.targets.get(target);
  if (target !== undefined && targeted !== undefined)
    return { answer: targeted, explanation: { ...start, decidedBy: 'target', target } };
  const tried = explainRules(way);
  const rules = tried.map(({ rule }) => rule);
  const passed = { ...start, rules, unknowns: unknownsIn(rules) };
  const ruled = tried.at(-1)?.answer;
  if (ruled !== undefined) return { answer: ruled, explanation: { ...passed, decidedBy: 'rule' } };
  const { told, answer } = explainFallthrough(way);
  return { answer, explanation: { ...passed, ...told, decidedBy: 'fallthrough' } };
};

/** What `evaluate` answers, and how it came to it. Slower, and as pure and total. */
export const explain = <Answer extends Resolved>(
  flag: CompiledFlag<Answer>,
  context: Context,
  environment: EvaluationEnvironment<Answer>,
): Explained<Answer> => {
  const { isArchived, configuration } = flag.ruleset;
  const start = { nowMs: context.nowMs, prerequisites: [], rules: [], unknowns: [] };
  if (!isArchived && configuration.enabled) {
    const explanation = { ...start, decidedBy: 'cost' } as const;
    const instead = { answer: flag.tooCostly, explanation };
    if (evaluate(flag, context, environment) === flag.tooCostly) return instead;
    // Also what an evaluation need not look at is explained.
    beginRequest();
    beginFlag(REQUEST_STEPS);
    try {
      return explainLive({ flag, context, environment });
    } catch (error) {
      giveUp(error);
      return instead;
    }
  }
  const decidedBy = isArchived ? 'archived' : 'disabled';
  return { answer: flag.fallthrough, explanation: { ...start, decidedBy } };
};
