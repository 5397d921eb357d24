import { type Position } from '../../domain/position.js';
import { type RowDifference } from '../../domain/verification.js';
import { type Database, type Table } from '../projection.js';

/** Rows of one table on their way into Postgres. */
export type CopySink = Readonly<{
  /** Resolves when more may be written. */
  write: (lines: string) => Promise<void>;
  /** Resolves when all rows are stored. */
  end: () => Promise<void>;
}>;

/** Count and order-independent sum of 64-bit hashes of the rows of a table. */
export type Checksum = Readonly<{ table: string; rows: number; sum: string }>;

/** Both read models at one log position. */
export type Comparison = Readonly<{
  live: readonly Checksum[];
  rebuilt: readonly Checksum[];
  /** The first few of each table; empty when both are equal. */
  differences: readonly RowDifference[];
}>;

/** An event that the serving read model holds and the rebuilt one does not. `at`: when it was recorded, RFC 3339. */
export type LostEvent = Readonly<{
  stream: string;
  revision: number;
  position: Position;
  type: string;
  actor: string;
  at: string;
}>;

/** `total`: how many there are; `events`: the first of them, in log order. */
export type Lost = Readonly<{ total: number; events: readonly LostEvent[] }>;

/** Port to a second read model next to the one that serves. */
export type RebuildDatabase = Readonly<{
  /** An empty read model without indexes; what an earlier rebuild left is dropped. */
  create: () => Promise<void>;
  copy: (table: Table) => CopySink;
  /** Adds the indexes, once the rows are there. */
  index: () => Promise<void>;
  /** The rebuilt read model. */
  next: Database;
  /** Where the serving read model stands; -1 for an empty one. */
  livePosition: () => Promise<Position>;
  /** Holds the serving read model at its position for as long as `align` takes, then compares what both were then. */
  compare: (align: (livePosition: Position) => Promise<void>) => Promise<Comparison>;
  /** Events of the serving read model that the rebuilt one lacks. */
  lost: () => Promise<Lost>;
  /**
   * Sets aside the signed checkpoints of the audit trail that the rebuilt chain does not contain, and forgets the
   * Idempotency-Keys of commands that it does not have.
   * @returns how many checkpoints
   */
  setLostAside: () => Promise<number>;
  /** Holds the serving read model while `align` takes the rest in, then puts the rebuilt one in its place. */
  swap: (align: (livePosition: Position) => Promise<void>) => Promise<void>;
  /** Drops the rebuilt one. */
  discard: () => Promise<void>;
  /** Drops the one that was replaced. Whatever still reads from it may keep it until the next rebuild. */
  dropOld: () => Promise<void>;
}>;
