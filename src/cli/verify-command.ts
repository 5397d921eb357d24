import { readFile } from 'node:fs/promises';
import { auditKey, auditTrail, checkpointPlaces } from '../composition/audit-trail.js';
import { startPersonalData } from '../composition/personal-data.js';
import { masterKeyOf, migrated, requireOneInstallation } from '../composition/prepare.js';
import { connectEventStore, type Services } from '../composition/services.js';
import { type Config } from '../config.js';
import { type Checkpoint } from '../domain/audit/checkpoint.js';
import { type RowDifference, type RowsCompared } from '../domain/verification.js';
import { kurrentEventLog } from '../infrastructure/kurrent/event-log.js';
import { kurrentEventStore } from '../infrastructure/kurrent/event-store.js';
import { revealedSnapshot } from '../infrastructure/personal-data/revealed-snapshot.js';
import { createPool } from '../infrastructure/postgres/postgres.js';
import { auditedOrganizations } from '../queries/trail/checkpoints.js';
import { type Tally } from '../queries/trail/findings.js';
import { type FullVerification, type Judged } from '../queries/trail/verify-trail.js';

export type VerifyOptions = Readonly<{
  /** All of them unless given. */
  organization?: string | undefined;
  /** A file with a checkpoint that was kept elsewhere, as JSON; of one with many, the last line. */
  checkpoint?: string | undefined;
  /** Called with a line that says how far it is. */
  onProgress?: (text: string) => void;
}>;

const placeOf = ({ first }: Tally): readonly string[] =>
  first === null
    ? []
    : [
        `  first: ${first.kind} ${first.type}, position ${first.position}, revision ${first.revision} of ${first.stream}`,
      ];

const judgedLines = (name: string, { verdict, explanation, ...tally }: Judged): string[] => [
  `${name}: ${verdict}. ${explanation}`,
  ...placeOf(tally),
];

const agreement = (name: string, differences: number): string =>
  `${name}: ${differences === 0 ? 'agrees' : `${differences} differences`}`;

const differenceLine = ({ table, key, column, only }: RowDifference): string => {
  const place = Object.entries(key).map(([name, value]) => `${name} ${String(value)}`);
  const what = { live: 'not in the log', rebuilt: 'only in the log' };
  return `  table ${table}, ${place.join(', ')}: ${only ? what[only] : `column ${String(column)}`}`;
};

const rowLines = ({
  rows,
  streams,
  differences,
  parked,
  skipped,
  deleted,
}: RowsCompared): readonly string[] => [
  agreement('read model and fold of the log', differences.length),
  `  compared: ${streams} streams; ${Object.entries(rows)
    .map(([table, count]) => `${table} ${count}`)
    .join(', ')}`,
  ...differences.map(differenceLine),
  ...deleted.map((stream) => `  deleted for good in the event store: ${stream}`),
  ...skipped.map(
    ({ stream, revision, type, reason }) =>
      `  skipped: event ${revision} of ${stream}, ${String(type)}: ${String(reason)}`,
  ),
  ...parked.map(
    ({ stream, revision, position, type }) =>
      `  parked: ${stream} stands in front of its event ${revision}, ${type}, position ${position}`,
  ),
];

const redisLines = (redis: FullVerification['stores']['redis']): readonly string[] =>
  redis === null
    ? ['Redis and read model: not compared, Redis did not answer']
    : [
        agreement('Redis and read model', redis.differences.length),
        `  compared: ${redis.environments} environments, ${redis.entries} entries`,
        ...redis.differences.map((difference) => `  ${difference}`),
      ];

const linesOf = (found: FullVerification): readonly string[] => [
  `organization ${found.organization}: ${found.events} events, up to position ${found.position}`,
  `head ${found.head}`,
  found.checkpoint === null
    ? 'checkpoint: none'
    : `checkpoint: ${found.checkpoint.statement.count} events at ${found.checkpoint.statement.at}, ${found.checkpoint.reproduction}`,
  ...judgedLines('integrity', found.integrity),
  ...judgedLines('completeness', found.completeness),
  agreement('read model and proven log', found.readModel.found),
  ...placeOf(found.readModel),
  ...rowLines(found.stores.readModel),
  ...redisLines(found.stores.redis),
  ...(found.unknownSignatures > 0
    ? [`${found.unknownSignatures} checkpoints here were not signed by our key`]
    : []),
];

const EXIT = { holds: 0, broken: 1, unproven: 3 } as const;

const exitCodeOf = (found: FullVerification): number => {
  const { integrity, completeness, readModel, stores, unknownSignatures } = found;
  const differences = [
    readModel.found,
    stores.readModel.differences.length,
    stores.readModel.deleted.length,
    stores.redis?.differences.length ?? 0,
    unknownSignatures,
  ];
  const verdicts = [integrity.verdict, completeness.verdict];
  if (verdicts.includes('broken') || differences.some((count) => count > 0)) return EXIT.broken;
  return verdicts.includes('unproven') || stores.redis === null ? EXIT.unproven : EXIT.holds;
};

const checkpointIn = async (file: string): Promise<Checkpoint> => {
  const text = (await readFile(file, 'utf8')).trim();
  const last = text.startsWith('{"') ? (text.split('\n').at(-1) ?? '') : text;
  return JSON.parse(last) as Checkpoint;
};

/**
 * Verifies the audit trail of one organization or all, and tells what was found.
 * @returns the process's exit code: 0 all holds, 1 something is broken, 3 nothing is broken but not all is proven
 */
export const verifyCommand = async (
  config: Config,
  { eventStoreUrl, databaseUrl, redisUrl }: Services,
  { organization, checkpoint: file, onProgress }: VerifyOptions,
  print: (line: string) => void,
): Promise<number> => {
  const brought = file === undefined ? undefined : await checkpointIn(file);
  const pool = createPool({ url: databaseUrl, use: 'maintenance' });
  const connection = connectEventStore(config, eventStoreUrl);
  const masterKey = await masterKeyOf(config);
  const personal = startPersonalData({
    ...{ databaseUrl, masterKey },
    log: kurrentEventStore(connection),
  });
  try {
    await migrated(databaseUrl, masterKey);
    await requireOneInstallation({ databaseUrl, connection, masterKey }, 'look');
    const { verify } = auditTrail({
      ...{ pool, redisUrl, log: kurrentEventLog(connection) },
      reveal: revealedSnapshot(personal),
      prefix: config.redisPrefix,
      key: await auditKey(config),
      places: checkpointPlaces(config),
    });
    const named = organization ?? brought?.statement.organization;
    const organizations = named === undefined ? await auditedOrganizations(pool)() : [named];
    const codes: number[] = [];
    for (const organizationId of organizations) {
      const found = await verify({
        ...{ organizationId, checkpoint: brought },
        onProgress: (of, done) =>
          onProgress?.(`organization ${organizationId}: ${done} ${of} so far`),
      });
      for (const line of linesOf(found)) print(line);
      codes.push(exitCodeOf(found));
    }
    return codes.includes(EXIT.broken) ? EXIT.broken : Math.max(0, ...codes);
  } finally {
    await personal.stop();
    await pool.end();
    await connection.close();
  }
};
