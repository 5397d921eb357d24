import { type Link } from '../../domain/audit/chain.js';
import { type Position } from '../../domain/position.js';
import {
  type EventPlace,
  NOTHING_SKIPPED,
  type SkippedEvents,
  skippedEvents,
} from '../../domain/skipped-events.js';
import { parseStream } from '../../domain/streams.js';
import { type EventLog, type LogEvent } from '../event-log.js';
import { acrossForeign } from '../foreign-gaps.js';
import { type Row, type Transaction } from '../projection.js';
import { type LinkedStep } from './link-steps.js';
import { isOther, placeOf, stateOfRow, stateReads } from './aggregates.js';
import { behindSkipped, type Tracked, type TrackedParked, type TrackedSkipped } from './tracked.js';

const HEADS = `
  select w.organization_id, c.sequence, c.hash
    from unnest($1::text[]) as w (organization_id)
   cross join lateral (select a.sequence, encode(a.hash, 'hex') as hash
                         from audit_chain a
                        where a.organization_id = w.organization_id
                        order by a.sequence desc
                        limit 1) c`;

/** Where the hash chains stand at the checkpoint: read from the rows, then remembered like streams. */
const trackedChains = () => {
  const remembered = new Map<string, Link>();
  return {
    load: async (tx: Transaction, organizations: ReadonlySet<string>) => {
      const missing = [...organizations].filter((id) => !remembered.has(id));
      const { rows } = missing.length === 0 ? { rows: [] } : await tx.query(HEADS, [missing]);
      const read = new Map(
        rows.map(({ organization_id: id, sequence, hash }): [string, Link] => [
          String(id),
          { sequence: Number(sequence), hash: String(hash) },
        ]),
      );
      return (id: string): Link | undefined => remembered.get(id) ?? read.get(id);
    },
    /** After the commit of these steps. */
    remember: (steps: readonly LinkedStep[]): void => {
      for (const { parts, link } of steps) remembered.set(parts.organizationId, link);
    },
    forget: (): void => {
      remembered.clear();
    },
  };
};

/** How many streams are remembered between batches; the others are read again when they change. */
const REMEMBERED = 5_000;

const OTHERS = `
  select w.stream, a.revision, a.position
    from unnest($1::text[]) as w (stream)
   cross join lateral (select e.revision, e.position
                         from audit_event e
                        where e.stream = w.stream
                          and e.revision < coalesce((select p.revision from parked_stream p
                                                      where p.stream = w.stream), 9223372036854775807)
                        order by e.revision desc
                        limit 1) a`;

const PARKED = `
  select p.stream, p.revision, p.position, p.type, p.recorded_at, p.error, p.waiting,
         p.last_revision, p.last_position
    from parked_stream p`;

const SKIPPED = `
  select k.skipped_stream, k.skipped_revision
    from skipped_event k`;

/** All events that are skipped, as far as the rows have come. */
export const loadSkipped = async (tx: Transaction): Promise<SkippedEvents> => {
  const { rows } = await tx.query(SKIPPED);
  return skippedEvents(
    rows.map((row): EventPlace => ({
      stream: String(row['skipped_stream']),
      revision: Number(row['skipped_revision']),
    })),
  );
};

const parkedFrom = (row: Row): readonly [string, TrackedParked] => [
  String(row['stream']),
  {
    category: 'parked',
    revision: Number(row['last_revision']),
    position: row['last_position'] as Position,
    since: {
      ...placeOf(row),
      type: String(row['type']),
      recordedAt: (row['recorded_at'] as Date).toISOString(),
      error: String(row['error']),
    },
    waiting: Number(row['waiting']),
  },
];

type Held = Exclude<Tracked, TrackedSkipped>;

const otherOf = (row: Row): readonly (readonly [string, Held])[] => {
  const category = parseStream(String(row['stream']))?.category;
  return isOther(category) ? [[String(row['stream']), { category, ...placeOf(row) }]] : [];
};

/** What the rows say of these streams; of a parked one, its state in front of the event that it stands at. */
export const loadStates = async (
  tx: Transaction,
  streams: readonly string[],
): Promise<readonly (readonly [string, Held])[]> => {
  const asked = streams.map((stream) => ({ stream, parts: parseStream(stream) }));
  const found: (readonly [string, Held])[] = [];
  for (const { category, text, values } of stateReads(asked))
    for (const row of (await tx.query(text, values)).rows) found.push(stateOfRow(category, row));
  const others = asked.filter(({ parts }) => isOther(parts?.category)).map(({ stream }) => stream);
  const { rows } = others.length === 0 ? { rows: [] } : await tx.query(OTHERS, [others]);
  return [...found, ...rows.flatMap(otherOf)];
};

/**
 * What streams are at the checkpoint: read from the rows, remembered while this process alone moves the checkpoint.
 * `forget` when it may not have.
 */
export const trackedStreams = (log: Pick<EventLog, 'readStream'>) => {
  const remembered = new Map<string, Tracked>();
  const chains = trackedChains();
  /** All of them, as of the last look at the rows. */
  let parked = new Map<string, TrackedParked>();
  let skipped = NOTHING_SKIPPED;
  let isParkedKnown = false;

  const loadParked = async (tx: Transaction) => {
    if (!isParkedKnown) {
      parked = new Map((await tx.query(PARKED)).rows.map(parkedFrom));
      skipped = await loadSkipped(tx);
    }
    isParkedKnown = true;
    return parked;
  };

  const forget = (): void => {
    remembered.clear();
    isParkedKnown = false;
    chains.forget();
  };

  return {
    /** Where the hash chains stand; remembered and forgotten with the streams. */
    chains,
    /** @returns a look-up of these streams as they stand in the rows */
    load: async (tx: Transaction, streams: ReadonlySet<string>) => {
      const missing = [...streams].filter((stream) => !remembered.has(stream));
      const held = await loadParked(tx);
      const read = new Map(missing.length === 0 ? [] : await loadStates(tx, missing));
      return (stream: string): Tracked | undefined =>
        held.get(stream) ??
        remembered.get(stream) ??
        behindSkipped(stream, read.get(stream), skipped);
    },
    acrossForeign: (
      events: readonly LogEvent[],
      lookUp: (stream: string) => Tracked | undefined,
    ): Promise<readonly LogEvent[]> => acrossForeign(log, events, lookUp),
    /** After the commit of these steps. */
    remember: (steps: readonly LinkedStep[]): void => {
      chains.remember(steps);
      for (const { event, after } of steps) {
        if (after.category === 'parked') parked.set(event.stream, after);
        remembered.delete(event.stream);
        remembered.set(event.stream, after);
      }
      for (const stream of remembered.keys()) {
        if (remembered.size <= REMEMBERED) return;
        remembered.delete(stream);
      }
    },
    loadParked,
    log,
    /** Those that are skipped, as of the last look at the rows. */
    skipped: (): SkippedEvents => skipped,
    /** Those that are known to be parked. */
    parked: (): ReadonlyMap<string, TrackedParked> => parked,
    forget,
    /** After rows of streams were made anew. */
    lookAgain: async (tx: Transaction): Promise<void> => {
      forget();
      await loadParked(tx);
    },
  };
};

export type TrackedStreams = ReturnType<typeof trackedStreams>;
