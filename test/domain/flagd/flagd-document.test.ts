import { type FlagdCore } from '@openfeature/flagd-core';
import { test } from 'tap';
import { type Context } from '../../../src/domain/evaluation/context.js';
import { evaluate } from '../../../src/domain/evaluation/evaluate.js';
import { type Ruleset } from '../../../src/domain/evaluation/ruleset.js';
import { withTargeting } from '../../../src/domain/flag/configuration.js';
import { flagdDocument } from '../../../src/domain/flagd/export.js';
import { parseFlagd, readFlagdFile, type TargetingMode } from '../../../src/domain/flagd/parse.js';
import { type JsonObject } from '../../../src/domain/json.js';
import { anEnvironment } from '../../support/evaluation.js';
import { flagdEngine } from '../../support/flagd-core.js';
import { property } from '../../support/property.js';
import { context, project } from '../../support/random-flagd-project.js';
import { aRuleset, aSplit, contentsOf } from '../../support/rulesets.js';

const theirs = (engine: FlagdCore, key: string, { targetingKey, attributes: given }: Context) => {
  const about = targetingKey === undefined ? given : { ...given, targetingKey };
  const {
    value,
    variant: name,
    errorCode,
  } = engine.resolve('boolean', key, 'the default', about as never);
  return { value, variant: name, errorCode };
};

test('a default that the flag does not have spoils no other flag of the file', async (t) => {
  const faulty = aRuleset('faulty', { configuration: { fallthrough: { variant: 'gone' } } });
  const rules = [{ id: 'r', description: '', clauses: [], serve: { logic: 'gone' } }];
  const ruled = aRuleset('ruled', { configuration: { rules } });
  const { document } = flagdDocument(contentsOf([faulty, ruled, aRuleset('well')]), 'acme');
  const engine = flagdEngine(document, true);
  t.equal(theirs(engine, 'well', { attributes: {} } as never).variant, 'on');
  t.ok(theirs(engine, 'faulty', { attributes: {} } as never).errorCode);
});

test('flagd-core answers from the exported file as we do', async (t) => {
  let left = 0;
  property(t, [project, context], ([segments, flags], about) => {
    const { document, leftOut } = flagdDocument(contentsOf(flags, segments), 'acme');
    const environment = anEnvironment(flags, segments);
    left += leftOut.length;
    const engines = [flagdEngine(document, true), flagdEngine(document, false)];
    return flags
      .filter(({ key }) => !leftOut.some(({ flag }) => flag === key))
      .every(({ key }) => {
        const flag = environment.flags.get(key)!;
        const { value = 'the default', variant: name } = evaluate(
          flag,
          about,
          environment,
        ).resolution;
        return engines.every((engine) => {
          const their = theirs(engine, key, about);
          return their.value === value && their.variant === name && their.errorCode === undefined;
        });
      });
  });
  t.equal(left, 0, 'nothing of this is left out');
});

const documentOf = (flags: readonly Ruleset[]): JsonObject =>
  flagdDocument(contentsOf(flags), 'acme').document;

const sameText = (left: JsonObject, right: JsonObject): boolean =>
  JSON.stringify(left) === JSON.stringify(right);

/** The flags that a file becomes in a project of its own. */
const imported = (document: JsonObject, mode: TargetingMode): readonly Ruleset[] =>
  parseFlagd(readFlagdFile(document), mode).map((parsed) => {
    if ('refusal' in parsed) throw parsed.refusal;
    const { fallthrough, rules, enabled, variants, type } = parsed.definition;
    const plain = { enabled, offVariant: null, fallthrough, targets: [] };
    return aRuleset(parsed.key, { type, variants, configuration: withTargeting(plain, rules) });
  });

test('an export stays as it is, however often it is imported as it stands elsewhere', async (t) => {
  property(t, [project], ([segments, flags]) => {
    const { document } = flagdDocument(contentsOf(flags, segments), 'acme');
    return sameText(documentOf(imported(document, 'exact')), document);
  });
});

test('an export that becomes rules elsewhere stays as these are exported', async (t) => {
  property(t, [project], ([segments, flags]) => {
    const { document } = flagdDocument(contentsOf(flags, segments), 'acme');
    const once = documentOf(imported(document, 'rules'));
    return sameText(documentOf(imported(once, 'rules')), once);
  });
});

test('who falls through gets the default variant, and its reason', async (t) => {
  const rules = [
    {
      id: 'r',
      description: '',
      clauses: [{ attribute: 'targetingKey', operator: 'in' as const, values: ['x'] }],
      serve: { variant: 'on' },
    },
  ];
  const flag = aRuleset('f', { configuration: { rules, fallthrough: { variant: 'off' } } });
  const document = documentOf([flag]);
  t.match(document, {
    flags: {
      f: {
        defaultVariant: 'off',
        targeting: { if: [{ in: [{ var: 'targetingKey' }, ['x']] }, 'on'] },
      },
    },
  });
  const reason = (targetingKey: string) =>
    flagdEngine(document, true).resolveBooleanEvaluation('f', true, { targetingKey }).reason;
  t.strictSame([reason('x'), reason('y')], ['TARGETING_MATCH', 'DEFAULT']);
});

test('a whole split is exported so that it needs no targeting key', async (t) => {
  const whole = aSplit([
    ['on', 0],
    ['off', 100_000],
  ]);
  const document = documentOf([aRuleset('f', { configuration: { fallthrough: whole } })]);
  for (const isInterpreted of [true, false])
    t.match(flagdEngine(document, isInterpreted).resolveBooleanEvaluation('f', true, {}), {
      variant: 'off',
    });
  t.match(imported(document, 'rules'), [{ configuration: { fallthrough: whole } }]);
});
