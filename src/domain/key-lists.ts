type Keys = readonly string[];

/** The list with these keys behind it. */
export const withKeys = (list: Keys, keys: Keys): Keys =>
  keys.length === 0 ? list : [...list, ...keys];

/** The list without these keys. */
export const withoutKeys = (list: Keys, keys: Keys): Keys => {
  if (keys.length === 0) return list;
  const gone = new Set(keys);
  return list.filter((key) => !gone.has(key));
};
