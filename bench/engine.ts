// Nanoseconds per evaluation in process. References in the same run: the murmur3 of the `crypto`-free kind that
// encodes the text first, and SHA-256, which other services bucket with.
import { createHash } from 'node:crypto';
import { compile } from '../src/domain/evaluation/compile.js';
import { type Context } from '../src/domain/evaluation/context.js';
import { evaluate } from '../src/domain/evaluation/evaluate.js';
import { hashPrefix, murmur3 } from '../src/domain/evaluation/murmur3.js';
import { type Ruleset } from '../src/domain/evaluation/ruleset.js';
import { bucketOf } from '../src/domain/evaluation/split.js';
import { type Split } from '../src/domain/flag/configuration.js';
import { type Clause } from '../src/domain/targeting/clause.js';
import { compileRegex } from '../src/infrastructure/re2-regex-compiler.js';
import {
  compileEnvironment,
  prepareAnswer,
} from '../src/queries/evaluation/environment-rulesets.js';
import { runBench } from './support/bench.js';
import { benchFlag, members } from './support/flags.js';
import { figure } from './support/numbers.js';
import { type Row, row } from './support/report.js';

const ROUNDS = 7;
const ROUND_MS = 150;

const contexts: readonly Context[] = Array.from({ length: 1_000 }, (_, index) => {
  const targetingKey = `3f2504e0-4f89-41d3-9a0c-${String(index).padStart(12, '0')}`;
  return {
    targetingKey,
    attributes: {
      targetingKey,
      plan: 'pro',
      country: 'CH',
      version: '2.14.0',
      email: 'x@y.example',
    },
    nowMs: 1_772_366_400_000,
  };
});

let sink: unknown;

/** Best of some rounds, so that what else the machine does counts least. */
const nanoseconds = (work: (context: Context) => unknown): number => {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    let calls = 0;
    while (performance.now() - start < ROUND_MS) {
      for (const context of contexts) sink = work(context);
      calls += contexts.length;
    }
    best = Math.min(best, ((performance.now() - start) * 1e6) / calls);
  }
  return best;
};

const isAtLeast = (version: string, least: string): boolean => {
  const [numbers, wanted] = [version.split('.').map(Number), least.split('.').map(Number)];
  const differs = numbers.findIndex((number, index) => number !== wanted[index]);
  return differs < 0 || (numbers[differs] ?? 0) > (wanted[differs] ?? 0);
};

const naivelyHolds = (clause: Clause, { targetingKey = '', attributes }: Context): boolean => {
  if ('segments' in clause) return members.included.includes(targetingKey);
  if ('anyOf' in clause) return clause.anyOf.length > 0;
  const value = String(attributes[clause.attribute]);
  if (clause.operator === 'in') return clause.values.includes(value);
  return isAtLeast(value, String(clause.values[0]));
};

const naivelySplit = ({ weights, total }: Split, salt: string, key: string): string | undefined => {
  const hash = createHash('sha256').update(salt).update(key).digest().readUInt32LE();
  let bucket = bucketOf(hash, total);
  for (const { variant, weight } of weights) {
    if (bucket < weight) return variant;
    bucket -= weight;
  }
  return undefined;
};

/** An engine as one writes it first: looks everything up per call and buckets with SHA-256. */
const naive = ({ configuration, variants, salt }: Ruleset, context: Context): unknown => {
  const { enabled, offVariant, targets, rules = [], fallthrough } = configuration;
  const key = context.targetingKey ?? '';
  const answer = (name: string | null | undefined, reason: string) => {
    const value = variants.find((variant) => variant.name === name)?.value;
    return { variant: name, value, reason };
  };
  if (!enabled) return answer(offVariant, 'DISABLED');
  const target = targets.find(({ keys }) => keys.includes(key));
  if (target !== undefined) return answer(target.variant, 'TARGETING_MATCH');
  const rule = rules.find(({ clauses }) => clauses.every((one) => naivelyHolds(one, context)));
  if (rule !== undefined) return answer('off', 'TARGETING_MATCH');
  return 'split' in fallthrough
    ? answer(naivelySplit(fallthrough.split, salt, key), 'SPLIT')
    : answer(fallthrough.variant, 'STATIC');
};

const rowOf = (
  what: string,
  ours: number,
  reference: readonly [what: string, nanoseconds: number],
  reach?: number,
): Row => {
  const [name, other] = reference;
  return row(`engine, in process: ${what}`, {
    measured: `${figure(ours)} ns`,
    reference: `${name} ${figure(other)} ns`,
    ratio: `${figure(other / ours)}x as fast`,
    ...(reach !== undefined && { target: `≤ ${reach} ns`, holds: ours <= reach }),
  });
};

await runBench('engine', 60, async () => {
  const reach = { static: 25, disabled: 25, split: 200, rule: 100 } as const;
  const kinds = ['static', 'disabled', 'targets', 'split', 'rule', 'manyRules', 'segment'] as const;
  const environment = compileEnvironment(
    { flags: new Map(), segments: new Map([[members.key, members]]) },
    { compileRegex },
  );
  const rows = kinds.map((kind) => {
    const ruleset = benchFlag('new-checkout', kind);
    const flag = compile(ruleset, prepareAnswer, { compileRegex });
    return rowOf(
      kind,
      nanoseconds((context) => evaluate(flag, context, environment)),
      ['uncompiled, SHA-256', nanoseconds((context) => naive(ruleset, context))],
      kind in reach ? reach[kind as keyof typeof reach] : undefined,
    );
  });
  const salt = hashPrefix('new-checkout');
  const hash = nanoseconds(({ targetingKey = '' }) => murmur3(targetingKey, salt));
  const sha = nanoseconds(({ targetingKey = '' }) =>
    createHash('sha256').update('new-checkout').update(targetingKey).digest(),
  );
  if (sink === undefined) throw new Error('Nothing was measured.');
  return [...rows, rowOf('hash of salt + 36 characters', hash, ['SHA-256', sha])];
});
