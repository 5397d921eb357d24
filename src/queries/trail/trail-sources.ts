import { type StoredEvent } from '../../domain/audit/chain.js';
import { type Position } from '../../domain/position.js';

/** The log itself, in its own order, from after a position (null: from its beginning) to where it ends. */
export type WholeLog = Readonly<{
  readForward: (
    after: Position | null,
    signal: AbortSignal,
  ) => AsyncIterable<Readonly<{ events: readonly StoredEvent[] }>>;
}>;

/** An event as the read model remembers it, from when it was written. The link is null where its row is missing. */
export type WitnessedEvent = Readonly<{
  organization: string;
  position: Position;
  stream: string;
  revision: number;
  type: string;
  id: string;
  sequence: number | null;
  hash: string | null;
}>;
