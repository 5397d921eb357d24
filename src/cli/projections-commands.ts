import type pg from 'pg';
import { masterKeyOf, migrated, requireOneInstallation } from '../composition/prepare.js';
import { serviceEvents } from '../composition/service-events.js';
import { connectEventStore } from '../composition/services.js';
import { type Config } from '../config.js';
import { positionInJson } from '../domain/position.js';
import { type RowDifference } from '../domain/verification.js';
import { kurrentEventLog } from '../infrastructure/kurrent/event-log.js';
import { kurrentEventStore } from '../infrastructure/kurrent/event-store.js';
import { createPool, databaseOn } from '../infrastructure/postgres/postgres.js';
import { withRebuildDatabase } from '../infrastructure/postgres/rebuild.js';
import { loadCheckpoint } from '../projections/checkpoint.js';
import { READ_MODEL } from '../projections/read-models.js';
import { type Comparison } from '../projections/rebuild/rebuild-database.js';
import {
  type RebuildProgress,
  rebuildReadModel,
  type RebuildReport,
} from '../projections/rebuild/rebuild.js';

export type Print = (line: string) => void;

/** The two services that the read model is made from and in. */
type RebuildServices = Readonly<{ eventStoreUrl: string; databaseUrl: string }>;

type RebuildAsked = Readonly<{
  signal: AbortSignal;
  replacesDifferent: boolean;
  adoptsLog: boolean;
}>;

const PROGRESS_MS = 1_000;

const count = (number: number): string => Math.round(number).toLocaleString('en');

/** Prints a line a second: how many events, how fast, how far, how long still. @returns what stops it */
const showProgress = (progress: RebuildProgress, print: Print): (() => void) => {
  const began = performance.now();
  const timer = setInterval(() => {
    const seconds = (performance.now() - began) / 1_000;
    const { phase, events, position, head } = progress;
    const done = head > 0 ? Math.min(1, Math.max(0, Number(position)) / Number(head)) : 1;
    const left = done > 0 ? (seconds / done) * (1 - done) : 0;
    const how = `${count(events)} events, ${count(events / seconds)}/s`;
    const far = `${(done * 100).toFixed(1)} %, ${count(left)} s left`;
    print(phase === 'reading' ? `${phase}: ${how}, ${far}` : `${phase}: ${how}`);
  }, PROGRESS_MS);
  return () => {
    clearInterval(timer);
  };
};

const differenceLine = ({ table, key, column, only }: RowDifference): string => {
  const place = Object.entries(key)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
  return `  table ${table}, ${place}: ${only ? `only in the ${only} one` : `column ${String(column)}`}`;
};

const comparisonLines = ({ live, rebuilt, differences }: Comparison): readonly string[] => {
  const cells = rebuilt.map(({ table, rows, sum }, nth) => {
    const was = live[nth];
    const isEqual = was?.rows === rows && was.sum === sum;
    return [table, count(was?.rows ?? 0), was?.sum ?? '', count(rows), sum, isEqual ? '=' : 'NO'];
  });
  const all = [['table', 'live rows', 'checksum', 'rebuilt rows', 'checksum', 'equal'], ...cells];
  const widths = all.reduce<number[]>(
    (most, row) => row.map((cell, nth) => Math.max(most[nth] ?? 0, cell.length)),
    [],
  );
  return [
    ...all.map((row) => row.map((cell, nth) => cell.padEnd(widths[nth] ?? 0)).join('  ')),
    ...(differences.length === 0
      ? ['The rebuilt read model is equal.']
      : [
          'The rebuilt read model is DIFFERENT. The first differences:',
          ...differences.map(differenceLine),
        ]),
  ];
};

const reportLines = (report: RebuildReport, seconds: number): readonly string[] => {
  const { comparison, isSwapped, poison, events, position } = report;
  const compared = comparison
    ? comparisonLines(comparison)
    : ['The serving read model was empty or behind; there was nothing to compare.'];
  const stopped = poison
    ? [
        `It stops in front of position ${poison.position}: '${poison.type}', event ${poison.revision} of`,
        `'${poison.stream}', cannot be applied: ${poison.error}`,
      ]
    : [];
  const rate = count(events / seconds);
  const kept = [
    'NOT put in place: the old read model goes on serving. docs/architecture.md says what to look at;',
    '`npm run projections -- rebuild --replace-different` puts the rebuilt one in place all the same.',
  ];
  return [
    ...compared,
    ...stopped,
    ...(isSwapped ? [] : kept),
    `Rebuilt from ${count(events)} events in ${seconds.toFixed(1)} s (${rate}/s), up to position ${position}.`,
  ];
};

const parkedNow = async (databaseUrl: string): Promise<readonly string[]> => {
  const pool = createPool({ url: databaseUrl, max: 1 });
  try {
    return await parkedLines(pool);
  } finally {
    await pool.end();
  }
};

/** Rebuilds the read model while the old one serves, and tells how it went. @returns the process's exit code */
export const rebuildCommand = async (
  config: Config,
  { eventStoreUrl, databaseUrl }: RebuildServices,
  print: Print,
  { signal, replacesDifferent, adoptsLog }: RebuildAsked,
): Promise<number> => {
  const progress: RebuildProgress = { phase: 'reading', events: 0, position: -1, head: -1 };
  const began = performance.now();
  const masterKey = await masterKeyOf(config);
  await migrated(databaseUrl, masterKey);
  const connection = connectEventStore(config, eventStoreUrl);
  const stopShowing = showProgress(progress, print);
  try {
    const policy = adoptsLog ? 'adopt' : 'mark';
    await requireOneInstallation({ databaseUrl, connection, masterKey }, policy);
    const eventLog = kurrentEventLog(connection);
    const report = await withRebuildDatabase(databaseUrl, (database) =>
      rebuildReadModel({ database, eventLog, signal, progress, replacesDifferent }),
    );
    const lines = reportLines(report, (performance.now() - began) / 1_000);
    for (const line of [...lines, ...(await parkedNow(databaseUrl))]) print(line);
    const { comparison, events, position, isSwapped } = report;
    const isEqual = comparison === undefined ? null : comparison.differences.length === 0;
    await serviceEvents(kurrentEventStore(connection), (error) => {
      print(`Not recorded in the audit log: ${String(error)}`);
    }).rebuilt({ events, position: positionInJson(position), isEqual, isInUse: isSwapped });
    return report.poison === undefined && report.isSwapped ? 0 : 1;
  } finally {
    stopShowing();
  }
};

/** Streams that are told of one by one. */
const MAX_PARKED = 50;

const parkedLines = async (pool: pg.Pool): Promise<readonly string[]> => {
  const { rows } = await pool.query<{ line: string; count: number }>(
    `select format('parked: %s, revision %s, position %s, %s: %s; %s events wait',
                   p.stream, p.revision, p.position, p.type, p.error, p.waiting) as line,
            count(*) over ()::int as count
       from parked_stream p
      order by p.position
      limit ${MAX_PARKED}`,
  );
  return [`parked streams: ${rows[0]?.count ?? 0}`, ...rows.map(({ line }) => line)];
};

/**
 * Tells where the read model stands, which streams stand still, and how far the log goes.
 * @returns the process's exit code
 * @throws StartupError when the log is another installation's
 */
export const statusCommand = async (
  config: Config,
  { eventStoreUrl, databaseUrl }: RebuildServices,
  print: Print,
): Promise<number> => {
  const masterKey = await masterKeyOf(config);
  await migrated(databaseUrl, masterKey);
  const connection = connectEventStore(config, eventStoreUrl);
  const pool = createPool({ url: databaseUrl });
  try {
    await requireOneInstallation({ databaseUrl, connection, masterKey }, 'look');
    const head = await kurrentEventLog(connection).head();
    const { position, recordedAt } = await databaseOn(pool).transaction((tx) =>
      loadCheckpoint(tx, READ_MODEL),
    );
    print(`${READ_MODEL}: position ${position}, last event of ${recordedAt ?? 'never'}`);
    print(`log: position ${head}`);
    for (const line of await parkedLines(pool)) print(line);
    return 0;
  } finally {
    await pool.end();
  }
};
