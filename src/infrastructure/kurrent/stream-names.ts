import { CATEGORIES, parseStream } from '../../domain/streams.js';

/**
 * What our streams are called in the store: as they are, or behind the prefix of this installation and a dot. Nothing
 * else knows the prefix. It has no dash, so no two installations with different prefixes share a name.
 */
export const streamNames = (prefix = '') => {
  const before = prefix === '' ? '' : `${prefix}.`;
  const beginnings = CATEGORIES.map((category) => `${before}${category}-`);
  return {
    inStore: (stream: string): string => before + stream,
    /** Undefined for a stream that is none of this installation's. */
    ours: (name: string): string | undefined => {
      if (!name.startsWith(before)) return undefined;
      const stream = name.slice(before.length);
      return parseStream(stream) && stream;
    },
    /** What the names of all our streams begin with. */
    beginnings,
    /** Whether a name begins like ours, as those of others may, too. */
    isAlike: (name: string): boolean => beginnings.some((beginning) => name.startsWith(beginning)),
  };
};

export type StreamNames = ReturnType<typeof streamNames>;
