import { test } from 'tap';
import { evaluate } from '../../../src/domain/evaluation/evaluate.js';
import { type Ruleset } from '../../../src/domain/evaluation/ruleset.js';
import { flagdDocument } from '../../../src/domain/flagd/export.js';
import { type JsonObject } from '../../../src/domain/json.js';
import {
  changeEnvironment,
  compileEnvironment,
} from '../../../src/queries/evaluation/environment-rulesets.js';
import { allFlagsAnswer, flagAnswer } from '../../../src/queries/evaluation/answers.js';
import { aContext, compileRegex } from '../../support/evaluation.js';
import { aRuleset, aSplit, contentsOf } from '../../support/rulesets.js';

const anna = aContext('anna');

const answer = (ruleset: Ruleset): string =>
  flagAnswer(
    { environment: compileEnvironment(contentsOf([ruleset]), { compileRegex }), position: 44 },
    ruleset.key,
    anna,
  );

test('one flag: variant, reason, revision and position', async (t) => {
  t.equal(
    answer(aRuleset('a')),
    '{"flagKey":"a","value":true,"variant":"on","reason":"STATIC","flagRevision":3,"position":44}',
  );
});

test('members of objects are sorted, whichever order a store gave them', async (t) => {
  const texts = (value: JsonObject, metadata: Ruleset['metadata'] = {}) => {
    const ruleset = aRuleset('a', {
      type: 'object',
      variants: ['on', 'off'].map((name) => ({ name, value })),
      metadata,
    });
    const contents = contentsOf([ruleset]);
    const environment = compileEnvironment(contents, { compileRegex });
    return [
      flagAnswer({ environment, position: 44 }, 'a', anna),
      allFlagsAnswer({ environment, position: 44 }, anna),
      evaluate(environment.flags.get('a') as never, anna, environment).ofrep,
      JSON.stringify(flagdDocument(contents, 'set')),
    ];
  };
  const sent = texts({ z: 1, aa: { c: 1, b: [{ y: 1, x: 2 }] }, b: 2 }, { z: 1, aa: 'x' });
  const stored = texts({ b: 2, z: 1, aa: { b: [{ x: 2, y: 1 }], c: 1 } }, { aa: 'x', z: 1 });
  t.strictSame(sent, stored);
  t.match(sent[0], '{"aa":{"b":[{"x":2,"y":1}],"c":1},"b":2,"z":1}');
});

test('without a value the application serves its own default', async (t) => {
  const configuration = { enabled: false, offVariant: null };
  t.equal(
    answer(aRuleset('a', { configuration })),
    '{"flagKey":"a","reason":"DISABLED","flagRevision":3,"position":44}',
  );
});

test('a flag that is not there is an answer', async (t) => {
  const nowhere = {
    environment: compileEnvironment(contentsOf([]), { compileRegex }),
    position: 44,
  };
  t.equal(
    flagAnswer(nowhere, 'no "such" flag', anna),
    '{"flagKey":"no \\"such\\" flag","reason":"ERROR","errorCode":"FLAG_NOT_FOUND","position":44}',
  );
  t.match(flagAnswer(nowhere, '__proto__', anna), 'FLAG_NOT_FOUND');
});

test('a configuration that cannot be served says so', async (t) => {
  const ruleset = aRuleset('a', { configuration: { fallthrough: { variant: 'gone' } } });
  t.match(JSON.parse(answer(ruleset)), { reason: 'ERROR', errorCode: 'GENERAL', value: undefined });
});

const numbers = (values: readonly number[], served: number): string | undefined => {
  const variants = values.map((value, index) => ({ name: `v${index}`, value }));
  const text = answer(
    aRuleset('n', {
      type: 'number',
      variants,
      configuration: { fallthrough: { variant: `v${served}` } },
    }),
  );
  return /"value":([^,]*),/.exec(text)?.[1];
};

test('a number flag with any fraction serves every value as a float', async (t) => {
  t.equal(numbers([10, 0.5], 0), '10.0');
  t.equal(numbers([10, 0.5], 1), '0.5');
  t.equal(numbers([-3, 0.5], 0), '-3.0');
  t.equal(numbers([1e21, 0.5], 0), '1e+21');
  t.equal(numbers([10, 20], 0), '10');
});

test('objects and texts are served as they are', async (t) => {
  const value = { text: 'quote " line \n é', list: [1, 2.5, null], nested: { a: true } };
  const ruleset = aRuleset('o', { type: 'object', variants: [{ name: 'on', value }] });
  t.strictSame((JSON.parse(answer(ruleset)) as { value: unknown }).value, value);
});

const several = [
  aRuleset('b'),
  aRuleset('d', { configuration: { fallthrough: aSplit([['on', 100_000]]) } }),
  aRuleset('a', { configuration: { enabled: false } }),
  aRuleset('c', { configuration: { targets: [{ variant: 'off', keys: ['anna'] }] } }),
  aRuleset('e'),
];

test('all flags are the answers about each, in the order of their keys', async (t) => {
  const at = {
    environment: compileEnvironment(contentsOf(several), { compileRegex }),
    position: 44,
  };
  for (const context of [anna, aContext()]) {
    const expected = ['a', 'b', 'c', 'd', 'e'].map((key) => {
      const { flagKey, position, ...rest } = JSON.parse(flagAnswer(at, key, context)) as Record<
        string,
        unknown
      >;
      t.strictSame([flagKey, position], [key, 44]);
      return [key, rest] as const;
    });
    const text = allFlagsAnswer(at, context);
    t.equal(text, JSON.stringify({ flags: Object.fromEntries(expected), position: 44 }));
  }
});

test('an environment without flags answers an empty map', async (t) => {
  const at = { environment: compileEnvironment(contentsOf([]), { compileRegex }), position: 44 };
  t.equal(allFlagsAnswer(at, anna), '{"flags":{},"position":44}');
});

test('the map follows changes; the environment before keeps its own', async (t) => {
  const before = compileEnvironment(contentsOf(several), { compileRegex });
  const first = allFlagsAnswer({ environment: before, position: 1 }, anna);
  const changes = new Map([
    ['b', null],
    ['c', aRuleset('c')],
    ['f', aRuleset('f')],
  ]);
  const after = changeEnvironment(
    before,
    { flags: changes, segments: new Map() },
    { compileRegex },
  );
  const { flags } = JSON.parse(allFlagsAnswer({ environment: after, position: 2 }, anna)) as {
    flags: Record<string, { reason: string }>;
  };
  t.strictSame(Object.keys(flags), ['a', 'c', 'd', 'e', 'f']);
  t.equal(flags['c']?.reason, 'STATIC');
  t.equal(allFlagsAnswer({ environment: before, position: 1 }, anna), first);
});
