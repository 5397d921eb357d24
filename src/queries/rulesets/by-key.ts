/** What there is of these, by key. */
export const byKey = <T extends Readonly<{ key: string }>>(
  items: readonly (T | undefined)[],
): ReadonlyMap<string, T> =>
  new Map(items.filter((item) => item !== undefined).map((item) => [item.key, item]));
