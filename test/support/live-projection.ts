import type pg from 'pg';
import { type Test } from 'tap';
import { type Position } from '../../src/domain/position.js';
import { databaseOn } from '../../src/infrastructure/postgres/postgres.js';
import { type EventLog } from '../../src/projections/event-log.js';
import { READ_MODEL } from '../../src/projections/read-models.js';
import { type ProjectionLog, statusReporter } from '../../src/projections/projection-status.js';
import { rowsConsumer, runProjection } from '../../src/projections/run-projection.js';
import { eventually } from './eventually.js';

export const silentLog: ProjectionLog = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** The consume loop into this pool's read model, until the test ends. */
export const liveProjection = (t: Test, pool: pg.Pool, eventLog: EventLog) => {
  const stopping = new AbortController();
  const consumer = rowsConsumer(databaseOn(pool), eventLog);
  const report = statusReporter(READ_MODEL, silentLog, { parked: consumer.parked });
  const signal = stopping.signal;
  const running = runProjection({
    consumer,
    eventLog,
    report,
    signal,
  });
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
  };
  t.teardown(stop);
  return {
    status: report.current,
    stop,
    reaches: (position: Position) => eventually(() => report.current().position >= position),
    isIn: (state: string) => eventually(() => report.current().state === state),
  };
};
