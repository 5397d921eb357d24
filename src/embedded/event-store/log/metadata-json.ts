/** A JSON value as it was written: numbers keep their digits, and words are what JSON has no other kind for. */
export type Json =
  | Readonly<{ kind: 'number' | 'word' | 'text'; text: string }>
  | Readonly<{ kind: 'list'; items: readonly Json[] }>
  | JsonObject;

/** A JSON object; of a name given twice the last value counts, in the first one's place. */
export type JsonObject = Readonly<{ kind: 'object'; entries: ReadonlyMap<string, Json> }>;

/** Tokens of Newtonsoft.Json's reader, which takes more than JSON: 'x', .5, 0x3, NaN, new Date(1). */
const SPACE = /\s*/y;
const STRING = /"([^"\\]*(?:\\[^][^"\\]*)*)"|'([^'\\]*(?:\\[^][^'\\]*)*)'/y;
const BARE_NAME = /[\w$]+/y;
const NUMBER = /-?(?:0[xX][\da-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w$.])/y;
const WORD = /(?:true|false|null|undefined|NaN|-?Infinity)(?![\w$])|new\s+\w+\s*\([^()]*\)/y;
const ESCAPE = /\\(?:u([\da-fA-F]{4})|([^]))/g;
const ESCAPED: Record<string, string> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  '"': '"',
  "'": "'",
  '/': '/',
  '\\': '\\',
};
const MAX_DEPTH = 64;

/** The text is not what the reader takes. */
class Malformed extends Error {}

const unescaped = (text: string): string =>
  text.replace(ESCAPE, (_, code: string | undefined, letter: string) => {
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    const character = ESCAPED[letter];
    if (character === undefined) throw new Malformed();
    return character;
  });

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  constructor(text: string) {
    this.#text = text;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text) ?? undefined;
    if (match) this.#at = pattern.lastIndex;
    return match;
  }

  #accept(character: string): boolean {
    this.#match(SPACE);
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#accept(character)) throw new Malformed();
  }

  #string(): string | undefined {
    const match = this.#match(STRING);
    return match && unescaped(match[1] ?? match[2] ?? '');
  }

  /** Items separated by commas up to `close`; one comma may follow the last. */
  #items(close: string, item: () => void): void {
    if (++this.#depth > MAX_DEPTH) throw new Malformed();
    while (!this.#accept(close)) {
      item();
      if (this.#accept(',')) continue;
      this.#expect(close);
      break;
    }
    this.#depth--;
  }

  #list(): Json {
    const items: Json[] = [];
    this.#items(']', () => items.push(this.#value()));
    return { kind: 'list', items };
  }

  #scalar(): Json {
    this.#match(SPACE);
    const text = this.#string();
    if (text !== undefined) return { kind: 'text', text };
    const number = this.#match(NUMBER)?.[0];
    if (number !== undefined) return { kind: 'number', text: number };
    const word = this.#match(WORD)?.[0];
    if (word === undefined) throw new Malformed();
    return { kind: 'word', text: word };
  }

  #value(): Json {
    if (this.#accept('[')) return this.#list();
    return this.#accept('{') ? this.#members() : this.#scalar();
  }

  #members(): JsonObject {
    const entries = new Map<string, Json>();
    this.#items('}', () => {
      this.#match(SPACE);
      const name = this.#string() ?? this.#match(BARE_NAME)?.[0];
      if (name === undefined) throw new Malformed();
      this.#expect(':');
      entries.set(name, this.#value());
    });
    return { kind: 'object', entries };
  }

  object(): JsonObject {
    this.#expect('{');
    return this.#members();
  }
}

/** The object that `data` begins with, whatever follows it; undefined when it begins with anything else. */
export const readJsonObject = (data: Uint8Array): JsonObject | undefined => {
  try {
    return new Reader(
      Buffer.from(data)
        .toString()
        .replace(/^\ufeff/, ''),
    ).object();
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
};

/** The value of a number without point or exponent; undefined for any other value. */
export const integerOf = (value: Json): bigint | undefined => {
  const text = value.kind === 'number' ? value.text : '';
  const [, sign, octal, digits] =
    /^(-?)(?:0([0-7]+)|(0[xX][\da-fA-F]+|0|[1-9]\d*))$/.exec(text) ?? [];
  const size = octal === undefined ? digits : `0o${octal}`;
  if (size === undefined) return undefined;
  return sign === '-' ? -BigInt(size) : BigInt(size);
};

/** Writes a value without blanks; numbers and words as they were. */
export const writeJson = (value: Json): string => {
  switch (value.kind) {
    case 'text':
      return JSON.stringify(value.text);
    case 'list':
      return `[${value.items.map(writeJson).join(',')}]`;
    case 'object':
      return `{${[...value.entries].map(([name, member]) => `${JSON.stringify(name)}:${writeJson(member)}`).join(',')}}`;
    default:
      return value.text;
  }
};
