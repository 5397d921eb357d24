import { DomainError } from '../domain/decider.js';
import { isSealed } from '../domain/personal/sealed-text.js';

/** How deep arrays and objects may nest. */
const MAX_DEPTH = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** Deepest nesting of a JSON text, found without parsing it: a parser would run out of stack first. */
const depthOf = (text: string): number => {
  let depth = 0;
  let deepest = 0;
  let isInString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charCodeAt(index);
    if (isInString) {
      if (character === BACKSLASH) index += 1;
      else if (character === QUOTE) isInString = false;
    } else if (character === QUOTE) isInString = true;
    else if (OPENING.has(character)) deepest = Math.max(deepest, (depth += 1));
    else if (CLOSING.has(character)) depth -= 1;
  }
  return deepest;
};

const refuse = (what: string): never => {
  throw new DomainError('invalid-json', what);
};

const checkText = (text: string): void => {
  if (isSealed(text))
    refuse('A string has the form of sealed personal data, which is only ours to make.');
  if (text.includes('\u0000')) refuse('A string has the character U+0000, which cannot be stored.');
  if (!text.isWellFormed()) refuse('A string has half of a surrogate pair, which is no character.');
};

/**
 * Only these can hide a U+0000, a lone surrogate, a number beyond double range or sealed text in an otherwise clean
 * text.
 */
const SUSPICIOUS = /\\u00|\\u[dD][89a-fA-F]|\d[eE]|\d{300}|pd1:/;

const checkValue = (value: unknown): void => {
  if (typeof value === 'string') checkText(value);
  else if (typeof value === 'number' && !Number.isFinite(value)) refuse('A number is too large.');
  else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      checkText(key);
      checkValue(member);
    }
  }
};

/** Only these can hide a `__proto__` key: any of its characters may be escaped. */
const FORBIDDEN_KEY = /__proto__|\\u/;

const checkKeys = (value: unknown): void => {
  if (typeof value !== 'object' || value === null) return;
  if (Object.hasOwn(value, '__proto__')) refuse('The key "__proto__" is not allowed.');
  for (const member of Object.values(value)) checkKeys(member);
};

/**
 * Parses a request body. Refused: broken JSON, nesting over MAX_DEPTH, U+0000, lone surrogates, numbers that
 * are not finite, `__proto__` keys, texts that look sealed: all that could poison a read model or a prototype later.
 * @throws DomainError `invalid-json`
 */
export const parseJsonBody = (text: string): unknown => {
  if (depthOf(text) > MAX_DEPTH) refuse(`Arrays and objects nest deeper than ${MAX_DEPTH}.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refuse(error instanceof Error ? error.message : 'It cannot be parsed.');
  }
  if (SUSPICIOUS.test(text)) checkValue(value);
  if (FORBIDDEN_KEY.test(text)) checkKeys(value);
  return value;
};
