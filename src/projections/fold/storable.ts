/** Deeper values overflow recursive walks (about 5 000 levels in Node 20) and Postgres's stack (jsonb). */
export const MAX_DEPTH = 500;

/** \p{Cs} matches only surrogates without their other half. */
const UNSTORABLE_TEXT = /\0|\p{Cs}/u;

/** The text with a replacement for what Postgres would refuse. */
export const storableText = (text: string): string => text.replace(/\0|\p{Cs}/gu, '\ufffd');

type Visit = Readonly<{ value: unknown; depth: number }>;

const flaw = (value: unknown): string | undefined => {
  if (typeof value === 'string' && UNSTORABLE_TEXT.test(value))
    return 'a string holds \\u0000 or half a surrogate pair';
  if (typeof value === 'number' && !Number.isFinite(value)) return 'a number is not finite';
  return undefined;
};

const membersOf = (value: object): readonly unknown[] => {
  const members: unknown[] = Object.values(value);
  return Array.isArray(value) ? members : members.concat(Object.keys(value));
};

/**
 * Why Postgres (jsonb) or `JSON.stringify` would refuse or alter this parsed JSON; undefined when they take it.
 * Walks with its own stack, so that no depth can overflow the real one.
 */
export const whyUnstorable = (root: unknown): string | undefined => {
  const pending: Visit[] = [{ value: root, depth: 0 }];
  for (let visit = pending.pop(); visit !== undefined; visit = pending.pop()) {
    const { value, depth } = visit;
    if (depth > MAX_DEPTH) return `it is nested deeper than ${MAX_DEPTH} levels`;
    const found = flaw(value);
    if (found !== undefined) return found;
    if (typeof value !== 'object' || value === null) continue;
    for (const member of membersOf(value)) pending.push({ value: member, depth: depth + 1 });
  }
  return undefined;
};
