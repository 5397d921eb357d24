import { earlier, type Position } from '../../domain/position.js';
import { type Table, type TableRows } from '../projection.js';
import { type BulkRows } from './bulk-rows.js';
import { copyLines } from './copy-lines.js';
import { type CopySink, type RebuildDatabase } from './rebuild-database.js';
import { type RebuildOptions } from './rebuild-options.js';

const copySinks = ({ copy }: RebuildDatabase) => {
  const sinks = new Map<Table, CopySink>();
  let writing: Promise<unknown> = Promise.resolve();
  return {
    /** Resolves when the rows before these are on their way: Postgres stores some while the next are made. */
    write: async (all: readonly TableRows[]): Promise<void> => {
      const filled = all
        .filter(({ rows }) => rows.length > 0)
        .map(({ table, rows }) => ({ table, lines: copyLines(table, rows) }));
      await writing;
      writing = Promise.all(
        filled.map(({ table, lines }) => {
          const sink = sinks.get(table) ?? copy(table);
          sinks.set(table, sink);
          return sink.write(lines);
        }),
      );
      // Whoever writes or ends next is told; until then a failure must not count as unhandled.
      writing.catch(() => undefined);
    },
    end: async (): Promise<void> => {
      await writing;
      for (const sink of sinks.values()) await sink.end();
    },
  };
};

/** Reads the log up to `until` into rows that are written once. */
export const load = async (
  { database, eventLog, signal, progress }: RebuildOptions,
  rows: BulkRows,
  until: Position,
): Promise<void> => {
  const sinks = copySinks(database);
  for await (const batch of eventLog.readForward(null, signal)) {
    const added = await rows.add(batch.events.filter(({ position }) => position <= until));
    await sinks.write(added.rows);
    progress.events += added.events;
    progress.position = earlier(batch.position, until);
    if (batch.position >= until) break;
  }
  signal.throwIfAborted();
  await sinks.write(rows.end());
  await sinks.end();
};
