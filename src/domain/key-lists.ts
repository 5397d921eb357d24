import { erasedText, isErased, isSealed, subjectIn } from './personal/sealed-text.js';

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
