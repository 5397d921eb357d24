import { type Position } from './position.js';
/** A row that is not what it should be, by its key: `column` is the first that differs, null for a whole row. */
export type RowDifference = Readonly<{
  table: string;
  key: Readonly<Record<string, unknown>>;
  column: string | null;
  /** Where the row is, when only one side has it. */
  only?: 'live' | 'rebuilt';
}>;

/** A stream that stands still in front of an event that cannot be applied. */
export type ParkedPlace = Readonly<{
  stream: string;
  revision: number;
  position: Position;
  type: string;
}>;

/** An event that an operator said is skipped; null or -1: that is not known. */
export type SkippedPlace = Readonly<{
  stream: string;
  revision: number;
  position: Position;
  type: string | null;
  reason: string | null;
}>;

/** Rows of the read model compared with those that folding the log gives. */
export type RowsCompared = Readonly<{
  streams: number;
  events: number;
  /** Rows compared, by table. */
  rows: Readonly<Record<string, number>>;
  differences: readonly RowDifference[];
  /** Streams that stand still: their rows are those in front of the event. */
  parked: readonly ParkedPlace[];
  /** Events that are skipped: their rows are as if they had never been there. */
  skipped: readonly SkippedPlace[];
  /** Streams that somebody deleted for good in the event store: their rows have nothing to be compared with. */
  deleted: readonly string[];
}>;

export const NOTHING_COMPARED: RowsCompared = {
  streams: 0,
  events: 0,
  rows: {},
  differences: [],
  parked: [],
  skipped: [],
  deleted: [],
};

/** Differences, events and streams that are kept of all that are found. */
export const KEPT = 20;

export const addCompared = (left: RowsCompared, right: RowsCompared): RowsCompared => {
  const rows: Record<string, number> = { ...left.rows };
  for (const [table, count] of Object.entries(right.rows)) rows[table] = (rows[table] ?? 0) + count;
  return {
    streams: left.streams + right.streams,
    events: left.events + right.events,
    rows,
    differences: [...left.differences, ...right.differences].slice(0, KEPT),
    parked: [...left.parked, ...right.parked].slice(0, KEPT),
    skipped: [...left.skipped, ...right.skipped].slice(0, KEPT),
    deleted: [...left.deleted, ...right.deleted].slice(0, KEPT),
  };
};

/** Nothing differs, and nothing is gone. */
export const agrees = ({ differences, deleted }: RowsCompared): boolean =>
  differences.length === 0 && deleted.length === 0;

export type RedisCompared = Readonly<{
  environments: number;
  /** Rulesets and segments. */
  entries: number;
  /** What differs, in words. */
  differences: readonly string[];
}>;

/** The stores that are made from the log, compared with it and with each other. */
export type StoresVerification = Readonly<{
  organizations: number;
  readModel: RowsCompared;
  /** Null while Redis could not be asked. */
  redis: RedisCompared | null;
}>;

/** Called now and then during a verification, and at its end, with how many events or streams were done so far. */
export type VerificationProgress = (of: 'events' | 'streams', done: number) => void;
