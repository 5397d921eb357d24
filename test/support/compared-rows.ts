import type pg from 'pg';
import { databaseOn } from '../../src/infrastructure/postgres/postgres.js';
import { type LogEvent } from '../../src/projections/event-log.js';
import { compareStreams } from '../../src/projections/verify/compare-streams.js';
import { memoryEventLog } from './memory-event-log.js';

/** The rows of streams, compared with this log. */
export const comparingWith = (pool: pg.Pool, log: readonly LogEvent[]) =>
  compareStreams({ database: databaseOn(pool), log: memoryEventLog(log) });
