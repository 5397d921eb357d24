import { once } from 'node:events';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type pg from 'pg';
import { diskCopyPath } from '../composition/evaluation.js';
import { isOlder, masterKeyOf, migrated, requireOneInstallation } from '../composition/prepare.js';
import { serviceEvents } from '../composition/service-events.js';
import { connectEventStore } from '../composition/services.js';
import { type Config } from '../config.js';
import { positionInJson } from '../domain/position.js';
import { kurrentEventLog } from '../infrastructure/kurrent/event-log.js';
import { kurrentEventStore } from '../infrastructure/kurrent/event-store.js';
import { OLDER_LOG } from '../infrastructure/older-log.js';
import { createPool, databaseOn } from '../infrastructure/postgres/postgres.js';
import { withRebuildDatabase } from '../infrastructure/postgres/rebuild.js';
import { redisLayout } from '../infrastructure/redis/layout.js';
import { createProjectorRedis, redisSnapshot } from '../infrastructure/redis/snapshot.js';
import { loadCheckpoint } from '../projections/checkpoint.js';
import { READ_MODEL } from '../projections/read-models.js';
import {
  type RebuildProgress,
  rebuildReadModel,
  type RebuildReport,
} from '../projections/rebuild/rebuild.js';
import { type Print, reportLines, showProgress } from './rebuild-report.js';

/** The two services that the read model is made from and in. */
type RebuildServices = Readonly<{ eventStoreUrl: string; databaseUrl: string; redisUrl: string }>;

type RebuildAsked = Readonly<{
  signal: AbortSignal;
  replacesDifferent: boolean;
  adoptsLog: boolean;
  acceptsLoss: boolean;
}>;

/** How long Redis may take to accept a connection. */
const ANSWER_MS = 5_000;

const parkedNow = async (databaseUrl: string): Promise<readonly string[]> => {
  const pool = createPool({ url: databaseUrl, max: 1 });
  try {
    return await parkedLines(pool);
  } finally {
    await pool.end();
  }
};

/** What would bring back what is lost: processes keep the newest rulesets that they see. */
const emptyRulesets = async (config: Config, redisUrl: string): Promise<void> => {
  const redis = createProjectorRedis(redisUrl);
  try {
    await once(redis, 'ready', { signal: AbortSignal.timeout(ANSWER_MS) });
    await redisSnapshot(redis, redisLayout(config.redisPrefix)).empty();
  } finally {
    redis.disconnect();
  }
  const path = diskCopyPath(config);
  for (const name of await readdir(dirname(path)).catch(() => []))
    if (name.startsWith(basename(path))) await rm(join(dirname(path), name), { force: true });
};

const olderLog = async (
  services: Parameters<typeof isOlder>[0],
  acceptsLoss: boolean,
): Promise<'list' | 'goOn' | undefined> => {
  if (!(await isOlder(services))) return undefined;
  return acceptsLoss ? 'goOn' : 'list';
};

/** Null when there was nothing to compare. */
const equalityOf = ({ comparison, lost }: RebuildReport): boolean | null => {
  if (lost !== undefined) return false;
  return comparison === undefined ? null : comparison.differences.length === 0;
};

/** Rebuilds the read model while the old one serves, and tells how it went. @returns the process's exit code */
export const rebuildCommand = async (
  config: Config,
  { eventStoreUrl, databaseUrl, redisUrl }: RebuildServices,
  print: Print,
  { signal, replacesDifferent, adoptsLog, acceptsLoss }: RebuildAsked,
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
    const older = await olderLog({ databaseUrl, connection }, acceptsLoss);
    if (older === 'goOn') await emptyRulesets(config, redisUrl);
    const report = await withRebuildDatabase(databaseUrl, (database) =>
      rebuildReadModel({ database, eventLog, signal, progress, replacesDifferent, older }),
    );
    const lines = reportLines(report, (performance.now() - began) / 1_000);
    for (const line of [...lines, ...(await parkedNow(databaseUrl))]) print(line);
    const { events, position, isSwapped } = report;
    const isEqual = equalityOf(report);
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
    if (await isOlder({ databaseUrl, connection })) print(OLDER_LOG);
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
