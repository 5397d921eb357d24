import { KEY_PATTERN } from '../../domain/streams.js';

const MAX_LENGTH = 100;

const isKey = new RegExp(KEY_PATTERN);

/** The name with what a key cannot have as dashes. */
const madeKey = (name: string): string => {
  const dashed = name.slice(0, MAX_LENGTH).replace(/[^A-Za-z0-9._-]+/g, '-');
  return dashed.replace(/^[._-]+/, '').replace(/[._-]+$/, '') || 'evaluator';
};

const numbered = (key: string, taken: ReadonlySet<string>): string => {
  for (let nth = 2, one = key; ; nth += 1) {
    if (!taken.has(one)) return one;
    const end = `-${nth}`;
    one = key.slice(0, MAX_LENGTH - end.length) + end;
  }
};

/** A segment's key for every name, each another one. A name that can be a key is that key. */
export const segmentKeys = (names: readonly string[]): ReadonlyMap<string, string> => {
  const taken = new Set(names.filter((name) => isKey.test(name)));
  const keys = new Map<string, string>();
  for (const name of names) {
    const key = isKey.test(name) ? name : numbered(madeKey(name), taken);
    taken.add(key);
    keys.set(name, key);
  }
  return keys;
};
