/** Kleene's three truth values, as small integers, which cost nothing to hand around. */
export type Truth = 1 | 0 | -1;

export const TRUE = 1;
export const FALSE = 0;
/** The attribute is missing, null, of another type, or cannot be read as what is compared. */
export const UNKNOWN = -1;

export const truthOf = (isTrue: boolean): Truth => (isTrue ? TRUE : FALSE);

/** True when any is true, else unknown when any is unknown, else false; false for none. */
export const anyTruth = <Item>(items: readonly Item[], test: (item: Item) => Truth): Truth => {
  let truth: Truth = FALSE;
  for (const item of items) {
    const one = test(item);
    if (one === TRUE) return TRUE;
    if (one === UNKNOWN) truth = UNKNOWN;
  }
  return truth;
};
