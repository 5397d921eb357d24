import { type Position } from '../../domain/position.js';
import { type EventLog } from '../event-log.js';
import { type RebuildDatabase } from './rebuild-database.js';

export type RebuildPhase = 'reading' | 'indexing' | 'comparing' | 'swapping' | 'done';

/** How far it is; positions are log positions. */
export type RebuildProgress = {
  phase: RebuildPhase;
  events: number;
  position: Position;
  head: Position;
};

export type RebuildOptions = Readonly<{
  database: RebuildDatabase;
  eventLog: EventLog;
  /** Puts the rebuilt read model in place also when it differs from the serving one. */
  replacesDifferent?: boolean;
  signal: AbortSignal;
  /** Changed in place as the rebuild goes on. */
  progress: RebuildProgress;
}>;
