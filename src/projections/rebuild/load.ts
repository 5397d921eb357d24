import { type PoisonEvent } from '../fold/poison.js';
import { type Table, type TableRows } from '../projection.js';
import { type BulkRows } from './bulk-rows.js';
import { copyLines } from './copy-lines.js';
import { type CopySink, type RebuildDatabase } from './rebuild-database.js';
import { type RebuildOptions } from './rebuild-options.js';

const copySinks = ({ copy }: RebuildDatabase) => {
  const sinks = new Map<Table, CopySink>();
  return {
    write: async (all: readonly TableRows[]): Promise<void> => {
      for (const { table, rows } of all) {
        if (rows.length === 0) continue;
        const sink = sinks.get(table) ?? copy(table);
        sinks.set(table, sink);
        await sink.write(copyLines(table, rows));
      }
    },
    end: async (): Promise<void> => {
      for (const sink of sinks.values()) await sink.end();
    },
  };
};

/** Reads the log up to `until` into rows that are written once. */
export const load = async (
  { database, eventLog, signal, progress }: RebuildOptions,
  rows: BulkRows,
  until: number,
): Promise<PoisonEvent | undefined> => {
  const sinks = copySinks(database);
  let poison: PoisonEvent | undefined;
  for await (const batch of eventLog.readForward(null, signal)) {
    const added = rows.add(batch.events.filter(({ position }) => position <= until));
    await sinks.write(added.rows);
    progress.events += added.events;
    progress.position = Math.min(batch.position, until);
    poison = added.poison;
    if (poison !== undefined || batch.position >= until) break;
  }
  signal.throwIfAborted();
  await sinks.write(rows.end());
  await sinks.end();
  return poison;
};
