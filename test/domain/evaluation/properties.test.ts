import { test } from 'tap';
import { compileClause } from '../../../src/domain/evaluation/clauses.js';
import { evaluate } from '../../../src/domain/evaluation/evaluate.js';
import { explain } from '../../../src/domain/evaluation/explain/explain.js';
import { type Context } from '../../../src/domain/evaluation/context.js';
import { simpleClauses } from '../../../src/domain/targeting/clause.js';
import { anEnvironment, compileRegex } from '../../support/evaluation.js';
import { property } from '../../support/property.js';
import { anyContext, anyWorld, plainWorld } from '../../support/random-targeting.js';
import { reference, type Served, type World } from '../../support/reference-evaluator.js';

const environmentOf = ({ rulesets, segments }: World) => anEnvironment(rulesets, segments);

const served = (world: World, flagKey: string, context: Context): Served => {
  const environment = environmentOf(world);
  const flag = environment.flags.get(flagKey);
  if (flag === undefined) throw new Error(flagKey);
  const { variant, reason, ruleId } = evaluate(flag, context, environment).resolution;
  return { variant, reason, ...(ruleId !== undefined && { ruleId }) };
};

const same = (left: Served, right: Served): boolean =>
  left.variant === right.variant && left.reason === right.reason && left.ruleId === right.ruleId;

test('the engine agrees with its rules as written a second time', async (t) => {
  property(t, [plainWorld, anyContext], (world, context) =>
    same(served(world, 'f0', context), reference('f0', context, world)),
  );
});

test('every reason and every flag comes up in these cases', async (t) => {
  const reasons = new Map<string, number>();
  property(t, [plainWorld, anyContext], (world, context) => {
    const { reason } = served(world, 'f0', context);
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    return true;
  });
  for (const reason of ['STATIC', 'DEFAULT', 'TARGETING_MATCH', 'PREREQUISITE_FAILED', 'DISABLED'])
    t.ok((reasons.get(reason) ?? 0) > 5, `${reason}: ${reasons.get(reason) ?? 0}`);
});

test('explaining comes to the answer that evaluating gives', async (t) => {
  property(t, [anyWorld, anyContext], (world, context) => {
    const environment = environmentOf(world);
    return [...environment.flags.values()].every((flag) => {
      const { answer, explanation } = explain(flag, context, environment);
      const isTold = JSON.stringify(explanation) !== '';
      return isTold && answer === evaluate(flag, context, environment);
    });
  });
});

test('explaining says of every rule that it decided, or why it did not', async (t) => {
  property(t, [anyWorld, anyContext], (world, context) => {
    const environment = environmentOf(world);
    return [...environment.flags.values()].every((flag) => {
      const { answer, explanation } = explain(flag, context, environment);
      const { rules, decidedBy } = explanation;
      const last = rules.at(-1);
      const passed = decidedBy === 'rule' ? rules.slice(0, -1) : rules;
      const isDecided = decidedBy !== 'rule' || last?.ruleId === answer.resolution.ruleId;
      return (
        isDecided && passed.every((rule) => rule.outcome !== 'true' || rule.isSkipped === true)
      );
    });
  });
});

test('negating turns true and false round and leaves unknown', async (t) => {
  property(t, [plainWorld, anyContext], (world, context) => {
    const { segments } = environmentOf(world);
    const rules = world.rulesets.flatMap(({ configuration }) => configuration.rules ?? []);
    return simpleClauses(rules.flatMap(({ clauses }) => clauses)).every((clause) => {
      const { negate, ...plain } = clause;
      const [one, other] = [plain, { ...plain, negate: true as const }].map((each) =>
        compileClause(each, { compileRegex }).holds(context, segments, 0),
      );
      return one === -1 ? other === -1 : other === 1 - (one ?? NaN);
    });
  });
});

test('evaluating twice, in one environment or in two, gives one answer', async (t) => {
  property(t, [anyWorld, anyContext], (world, context) =>
    same(served(world, 'f0', context), served(world, 'f0', structuredClone(context))),
  );
});
