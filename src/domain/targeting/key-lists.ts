import { erasedText, isErased, isSealed, subjectIn } from '../personal/sealed-text.js';

type Keys = readonly string[];

/** The list with these keys behind it. */
export const withKeys = (list: Keys, keys: Keys): Keys =>
  keys.length === 0 ? list : [...list, ...keys];

/**
 * The list without these keys. A key that reads as that of an erased person takes out every sealed text of that person:
 * whoever folds events without opening them has the same keys left as who opens them.
 */
export const withoutKeys = (list: Keys, keys: Keys): Keys => {
  if (keys.length === 0) return list;
  const gone = new Set(keys);
  if (!keys.some(isErased)) return list.filter((key) => !gone.has(key));
  return list.filter(
    (key) => !gone.has(key) && !(isSealed(key) && gone.has(erasedText(subjectIn(key)))),
  );
};

/** Up to so many items are looked for one by one. */
const FEW = 4;

/** The items that a list does not have. */
const absentFrom = (items: Keys, list: Keys): Keys => {
  if (items.length <= FEW) return items.filter((item) => !list.includes(item));
  const known = new Set(list);
  return items.filter((item) => !known.has(item));
};

/** Both lists without what they have in common at their beginnings and ends. */
const differingParts = (left: Keys, right: Keys): readonly [left: Keys, right: Keys] => {
  const shorter = Math.min(left.length, right.length);
  let start = 0;
  while (start < shorter && left[start] === right[start]) start += 1;
  let end = 0;
  while (end < shorter - start && left.at(-1 - end) === right.at(-1 - end)) end += 1;
  return [left.slice(start, left.length - end), right.slice(start, right.length - end)];
};

/**
 * What left `before` and what joined it on the way to `after`, each in its own order. An edit of a few keys costs little
 * more than a walk along the lists.
 */
export const setDifference = (
  before: Keys,
  after: Keys,
): Readonly<{ removed: Keys; added: Keys }> => {
  const [left, right] = differingParts(before, after);
  return { removed: absentFrom(left, after), added: absentFrom(right, before) };
};
