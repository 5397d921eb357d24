import { LRUCache } from 'lru-cache';
import { RE2JS, RE2JSSyntaxException } from 're2js';
import { DomainError } from '../domain/decider.js';
import { type RegexCompiler } from '../domain/targeting/clause.js';

/** Instructions of a compiled pattern: with the length of the text, what a test can cost at most. */
const LARGEST_PROGRAM = 1_000;

const invalid = (pattern: string, what: string): DomainError =>
  new DomainError('invalid-regex', `"${pattern}" is no regular expression (RE2 syntax): ${what}.`);

/** "… at character 3", counted from 1, when the engine tells which part it stumbled over. */
const placeIn = (pattern: string, part: string | null): string => {
  const index = part === null || part === pattern ? -1 : pattern.indexOf(part);
  return index < 0 ? '' : ` at character ${index + 1}`;
};

const parsed = (pattern: string, flags: number): RE2JS => {
  try {
    return RE2JS.compile(pattern, flags);
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    const message = error.message.replace('error parsing regexp: ', '');
    throw invalid(pattern, `${message}${placeIn(pattern, error.input)}`);
  }
};

type Compiled = ReturnType<RegexCompiler>;

/** A ruleset is compiled anew with each change of it, and most of its patterns stay. Instructions. */
const known = new LRUCache<string, Compiled>({
  maxSize: 200_000,
  sizeCalculation: ({ size }) => size,
});

/** RE2 syntax and RE2's promise: linear time, so no lookaround and no back-references. */
export const compileRegex: RegexCompiler = (pattern, { ignoreCase }) => {
  const key = `${ignoreCase ? 'i' : 'c'}${pattern}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const regex = parsed(pattern, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
  if (regex.programSize() > LARGEST_PROGRAM)
    throw invalid(pattern, `it is too large; repeat counts make it so`);
  const compiled: Compiled = {
    size: regex.programSize(),
    test: (text) => regex.test(text),
  };
  known.set(key, compiled);
  return compiled;
};
