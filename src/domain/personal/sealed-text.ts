import { type Event } from '../decider.js';

// Names and shapes are the storage format: add optional fields, never rename or re-mean.

/** The key of everything sealed about a person was destroyed. Who, when and why: in the metadata. Never names the person. */
export type SubjectErased = Event<'SubjectErased', { subjectId: string }>;

/**
 * Personal text as the log has it: `pd1:` and base64url of the subject's id (6 bytes), a nonce (12), the ciphertext
 * (AES-256-GCM) and its tag (16). Made and opened by the adapters; here only its form is known.
 */
const SEALED = /^pd1:[A-Za-z0-9_-]{46,}$/;
const ERASED = /^erased:[A-Za-z0-9_-]{8}$/;
const PREFIX = 'pd1:';
const ID_END = PREFIX.length + 8;

export const isSealed = (text: string): boolean => text.startsWith(PREFIX) && SEALED.test(text);

/** What every sealed text of a subject begins with, and no other text. */
export const sealedPrefix = (subjectId: string): string => `${PREFIX}${subjectId}`;

/** The id of the subject of a sealed text: 8 characters of base64url. */
export const subjectIn = (sealed: string): string => sealed.slice(PREFIX.length, ID_END);

/** What a sealed text reads as once its key is gone: unique, so that lists keep their lengths. */
export const erasedText = (subjectId: string): string => `erased:${subjectId}`;

/** Erased text that comes back, in a list that was read, changed and sent again: it is nobody's any more. */
export const isErased = (text: string): boolean => ERASED.test(text);

const mapMembers = (value: object, change: (text: string) => string): object => {
  const members: [string, unknown][] = Object.entries(value);
  const mapped = members.map(([key, member]) => [key, mapTexts(member, change)] as const);
  const isSame = mapped.every(([, member], index) => member === members[index]?.[1]);
  return isSame ? value : Object.fromEntries(mapped);
};

const mapItems = (items: readonly unknown[], change: (text: string) => string) => {
  const mapped = items.map((item) => mapTexts(item, change));
  return mapped.some((item, index) => item !== items[index]) ? mapped : items;
};

/** An object that JSON or a row makes, and not a time or bytes in one. */
const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

/** Parsed JSON with `change` applied to every string that is a value. What has none that changes stays the same object. */
export const mapTexts = <T>(value: T, change: (text: string) => string): T => {
  const given: unknown = value;
  if (typeof given === 'string') return change(given) as T;
  if (typeof given !== 'object' || given === null) return value;
  if (Array.isArray(given)) return mapItems(given, change) as T;
  return isPlain(given) ? (mapMembers(given, change) as T) : value;
};

/** Every sealed text in parsed JSON, once. */
export const sealedTexts = (value: unknown): ReadonlySet<string> => {
  const found = new Set<string>();
  mapTexts(value, (text) => {
    if (isSealed(text)) found.add(text);
    return text;
  });
  return found;
};
