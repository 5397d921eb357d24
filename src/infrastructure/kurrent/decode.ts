import { type RecordedEvent } from '@eventstore/db-client';
import { type Event } from '../../domain/decider.js';
import { toPosition } from '../../domain/position.js';
import { type Metadata, type Recorded } from '../../domain/recorded.js';
import { CATEGORIES, parseStream } from '../../domain/streams.js';

const MOST_REVISIONS = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * Revisions count the events of a stream, so those of events are far below 2^53; the one of the mark that a hard delete
 * leaves is 2^63-1.
 */
export const revisionIn = (value: bigint): number =>
  Number(value > MOST_REVISIONS ? MOST_REVISIONS : value);

/** Why something in the log is not ours. `deletion`: the mark that a hard delete leaves in a stream. */
export type ForeignKind = 'deletion' | 'system' | 'stream' | 'event';

/**
 * Every event that we write, in this version and all others, has a command's id and the version of its shape in its
 * metadata. So an event of a later version is ours, also when this version does not understand it.
 */
const hasOurMetadata = ({ metadata }: RecordedEvent): boolean => {
  if (typeof metadata !== 'object') return false;
  // The client gives null for the JSON text null, whatever its types say.
  const { commandId, schemaVersion } = (metadata as Readonly<Record<string, unknown>> | null) ?? {};
  return typeof commandId === 'string' && typeof schemaVersion === 'number';
};

/**
 * Tells what is not ours, from its names and the kind of its metadata alone: neither revision nor data is looked at.
 * @param stream what we call its stream; undefined when it is none of ours
 * @returns undefined for an event of ours
 */
export const foreignKind = (
  event: RecordedEvent,
  stream: string | undefined,
): ForeignKind | undefined => {
  if (event.type === '$streamDeleted') return 'deletion';
  if (event.type.startsWith('$')) return 'system';
  if (stream === undefined) return 'stream';
  return hasOurMetadata(event) ? undefined : 'event';
};

/** An event of ours as the client gives it, in our terms: `stream` is what we call it. Its content is trusted. */
export const decodeRecorded = <E extends Event>(
  event: RecordedEvent,
  stream: string,
): Recorded<E> =>
  ({
    type: event.type,
    data: event.data,
    id: event.id,
    stream,
    revision: revisionIn(event.revision),
    position: toPosition(event.position?.commit ?? -1),
    recordedAt: event.created.toISOString(),
    metadata: event.metadata as Metadata,
  }) as Recorded<E>;

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
