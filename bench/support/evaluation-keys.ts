const idOf = (size: number): string => `of${size}`.padEnd(12, '0');

/** The application key that the evaluation server knows for its environment with this many flags. */
export const keyOf = (size: number): string => `cf_srv_${idOf(size)}_${'0'.repeat(43)}`;
