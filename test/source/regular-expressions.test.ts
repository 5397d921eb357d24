import { createContext, Script } from 'node:vm';
import fc from 'fast-check';
import { test } from 'tap';
import { sourceTexts, type SourceText } from '../support/source-texts.js';

const SEED = 20_261_121;
const SAMPLES = 3;
/** Characters of a sample that are repeated, one after the other. */
const PLACES = 12;
const LENGTH = 100_000;
/** All attacks on one expression take some 30 ms; with one that backtracks, much longer. */
const LONGEST_MS = 1_000;

/** These do, and are used for short texts only. */
const SHORT: Readonly<Record<string, string>> = {
  'api/http/documentation.ts': 'paths of our own routes',
  'domain/flagd/evaluator-segments.ts': 'at most 100 characters',
  'embedded/stack/data-directory.ts': 'messages of our own',
  'infrastructure/accounts/passwords.ts': 'passwords, at most 128 characters',
};

/** A literal, or a text that is one: the pattern of a schema, or what is given to `new RegExp`. */
const expressionIn = ({ kind, text }: SourceText): RegExp | undefined => {
  const end = text.lastIndexOf('/');
  if (kind === 'regex') return new RegExp(text.slice(1, end), text.slice(end + 1));
  return kind === 'text' && /^\^.+[$)]$/s.test(text) && !text.includes('${')
    ? new RegExp(text, 'u')
    : undefined;
};

const samplesOf = ({ source }: RegExp): readonly string[] => {
  try {
    return fc.sample(fc.stringMatching(new RegExp(source)), { seed: SEED, numRuns: SAMPLES });
  } catch {
    return [];
  }
};

/** Text that nearly fits: a part of one that does, again and again, and an end that does not. */
const attacksOn = (expression: RegExp): readonly string[] => {
  const runs = Array.from(' \ta0.-/:;="\\@_').map((one) => `${one.repeat(LENGTH)}\u0000 \u0000`);
  const pumped = samplesOf(expression).flatMap((sample) =>
    Array.from({ length: Math.min(PLACES, sample.length) }, (_, at) => at).flatMap((at) =>
      [1, 2].map((size) => {
        const part = sample.slice(at, at + size);
        const many = part.repeat(LENGTH / part.length);
        return `${sample.slice(0, at)}${many}${sample.slice(at)}\u0000 \u0000`;
      }),
    ),
  );
  return [...runs, ...pumped];
};

/** Without a quantifier there is nothing to go back to. */
const REPEATS = /[*+{]/;

const run = new Script('for (const text of texts) { regex.lastIndex = 0; regex.test(text); }');

const ends = (regex: RegExp): boolean => {
  try {
    run.runInContext(createContext({ regex, texts: attacksOn(regex) }), { timeout: LONGEST_MS });
    return true;
  } catch {
    return false;
  }
};

test('an expression that backtracks is noticed', async (t) => {
  t.notOk(ends(/^(a+)+$/));
  t.notOk(ends(/\s+$/), 'also one whose time grows with the square of the length');
});

test('none of our own regular expressions backtracks', async (t) => {
  const expressions = sourceTexts().flatMap((literal) => {
    const regex = expressionIn(literal);
    const isOpen = regex !== undefined && REPEATS.test(regex.source);
    return isOpen ? [{ ...literal, regex }] : [];
  });
  t.plan(expressions.length + 1);
  t.ok(expressions.length > 80, `${expressions.length} were found`);
  for (const { file, line, regex } of expressions)
    t.ok(file in SHORT || ends(regex), `${file}:${line} ${regex.source}`);
});
