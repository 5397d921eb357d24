import { RE2JS, RE2JSSyntaxException } from 're2js';
import { invalidArgument } from '../wire/errors.js';

/**
 * Filters are .NET expressions, run here by an engine of linear time: a backtracking one could be held up by a
 * single stream name. What means the same in both is translated; what does not, or may not, is refused.
 */

/** Instructions of a compiled pattern: with the length of the text, what a test can cost at most. */
const LARGEST_PROGRAM = 1_000;

const DIGIT = String.raw`\p{Nd}`;
const WORD = String.raw`\p{L}\p{Mn}\p{Nd}\p{Pc}`;
const SPACE = String.raw`\t\n\v\f\r \x{85}\p{Z}`;
const OUTSIDE: Record<string, string> = {
  d: DIGIT,
  D: String.raw`\P{Nd}`,
  w: `[${WORD}]`,
  W: `[^${WORD}]`,
  s: `[${SPACE}]`,
  S: `[^${SPACE}]`,
  A: String.raw`\A`,
  z: String.raw`\z`,
};
const IN_CLASS: Record<string, string> = {
  d: DIGIT,
  D: String.raw`\P{Nd}`,
  w: WORD,
  s: SPACE,
  b: String.raw`\x08`,
};
const CHARACTERS: Record<string, string> = {
  t: '\t',
  n: '\n',
  r: '\r',
  f: '\f',
  v: '\v',
  a: '\x07',
  e: '\x1b',
};

const ESCAPE =
  /\\(?:[pP]\{([CLMNPSZ][a-z]?)\}|(?:u(?=[\da-fA-F]{4})|x(?=[\da-fA-F]{2}))((?<=u)[\da-fA-F]{4}|[\da-fA-F]{2})|([^]))/y;
const GROUP = /\((?:\?(?:<[A-Za-z_]\w*>|[ims]*(?:-[ims]+)?[:)]))?(?!\?)/y;

const literal = (character: string): string =>
  `\\x{${(character.codePointAt(0) ?? 0).toString(16)}}`;

class Translation {
  readonly #pattern: string;
  readonly #isMultiline: boolean;
  #at = 0;
  #isInClass = false;
  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#isMultiline = /\(\?[is]*m/.test(pattern);
  }

  #refuse(): never {
    throw invalidArgument(
      `The filter ${this.#pattern} is not supported from character ${this.#at + 1} on: only what .NET and RE2 have in common is (no lookaround, back-references, atomic groups or \\b).`,
    );
  }

  #take(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#pattern) ?? this.#refuse();
    this.#at = pattern.lastIndex;
    return match;
  }

  #escape(): string {
    const [all, category, code, letter] = this.#take(ESCAPE);
    if (category !== undefined) return all;
    return code === undefined ? this.#letter(letter ?? '') : `\\x{${code}}`;
  }

  #letter(letter: string): string {
    const known = (this.#isInClass ? IN_CLASS : OUTSIDE)[letter];
    if (known !== undefined) return known;
    const character = CHARACTERS[letter];
    if (character === undefined && /\w/.test(letter)) this.#refuse();
    return literal(character ?? letter);
  }

  #classStart(): string {
    this.#isInClass = true;
    const [start] = this.#take(/\[\^?\]?/y);
    return start.replace(']', String.raw`\]`);
  }

  #inClass(character: string): string {
    if (this.#pattern.startsWith('-[', this.#at)) this.#refuse(); // subtraction
    this.#at++;
    if (character === ']') this.#isInClass = false;
    return character === '[' ? String.raw`\[` : character;
  }

  #next(): string {
    const character = this.#pattern[this.#at] ?? '';
    if (character === '\\') return this.#escape();
    if (this.#isInClass) return this.#inClass(character);
    if (character === '[') return this.#classStart();
    if (character === '(') return this.#take(GROUP)[0];
    this.#at++;
    return character === '$' && !this.#isMultiline ? String.raw`(?:\n?\z)` : character;
  }

  result(): string {
    let translated = '';
    while (this.#at < this.#pattern.length) translated += this.#next();
    return translated;
  }
}

const compiled = (pattern: string): RE2JS => {
  try {
    return RE2JS.compile(new Translation(pattern).result());
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    throw invalidArgument(`The filter is not a regular expression: ${pattern} (${error.message})`);
  }
};

/**
 * A test whether a .NET expression matches somewhere in a text.
 * @throws CallError INVALID_ARGUMENT for an expression that cannot be run to the same effect
 */
export const compileRegex = (pattern: string): ((text: string) => boolean) => {
  const regex = compiled(pattern);
  if (regex.programSize() > LARGEST_PROGRAM)
    throw invalidArgument(`The filter is too large; repeat counts make it so: ${pattern}`);
  return (text) => regex.test(text);
};
