import { type Position } from '../../domain/position.js';
import { parseStream } from '../../domain/streams.js';
import {
  addCompared,
  NOTHING_COMPARED,
  type RowDifference,
  type RowsCompared,
  type VerificationProgress,
} from '../../domain/verification.js';
import { loadCheckpoint } from '../checkpoint.js';
import { type EventLog, type LogEvent } from '../event-log.js';
import { READ_MODEL, READ_MODELS } from '../read-models.js';
import { type Database, type Table } from '../projection.js';
import { compareStreams } from './compare-streams.js';
import { streamText } from './held-rows.js';

type Sources = Readonly<{
  database: Database;
  log: Pick<EventLog, 'readStream' | 'readForward' | 'isDeleted'>;
}>;

/** Streams of one slice. */
const PAGE = 200;

/** The streams of an organization by their first event in the audit trail, slice after slice in log order. */
async function* streamsOf(
  { database }: Sources,
  organizationId: string,
): AsyncGenerator<readonly string[]> {
  for (let after: Position = -1; ;) {
    const { rows } = await database.transaction((tx) =>
      tx.query(
        `select e.stream, e.position
           from audit_event e
          where e.organization_id = $1
            and e.position > $2
            and not exists (select from audit_event p where p.stream = e.stream and p.revision < e.revision)
          order by e.position
          limit ${PAGE}`,
        [organizationId, after],
      ),
    );
    if (rows.length === 0) return;
    yield rows.map(({ stream }) => String(stream));
    after = rows.at(-1)?.['position'] as Position;
  }
}

const organizationText = ({ stream }: Table): string =>
  stream[0] === 'project_id' ? `split_part(t.project_id, ':', 1)` : 't.organization_id';

const isTrailed = (table: Table): string =>
  table.name === 'audit_chain'
    ? 'select from audit_event e where e.organization_id = t.organization_id and e.position = t.position'
    : `select from audit_event e where e.stream = ${streamText(table)}`;

/** Rows of streams that are not in the audit trail: no slice has them. */
const strays = async (
  { database }: Sources,
  organizationId: string | undefined,
): Promise<readonly RowDifference[]> => {
  const found: RowDifference[] = [];
  for (const table of READ_MODELS.flatMap(({ tables }) => tables)) {
    const isIts = organizationId === undefined ? '' : `and ${organizationText(table)} = $1`;
    const { rows } = await database.transaction((tx) =>
      tx.query(
        `select ${table.key.map((column) => `t.${column}`).join(', ')}
           from ${table.name} t
          where not exists (${isTrailed(table)}) ${isIts}
          limit 5`,
        organizationId === undefined ? [] : [organizationId],
      ),
    );
    for (const key of rows) found.push({ table: table.name, key, column: null, only: 'live' });
  }
  return found;
};

/** Every row that one organization has in the read model. */
export const compareOrganization =
  (sources: Sources) =>
  async (
    organizationId: string,
    signal?: AbortSignal,
    onProgress?: VerificationProgress,
  ): Promise<RowsCompared> => {
    const compare = compareStreams(sources);
    let compared: RowsCompared = {
      ...NOTHING_COMPARED,
      differences: await strays(sources, organizationId),
    };
    for await (const streams of streamsOf(sources, organizationId)) {
      compared = addCompared(compared, await compare(streams, signal));
      onProgress?.('streams', compared.streams);
    }
    return compared;
  };

const MISSING = `
  select w.position
    from unnest($1::bigint[], $2::text[], $3::bigint[]) as w (position, stream, revision)
   where not exists (select from audit_event a
                      where a.position = w.position and a.stream = w.stream and a.revision = w.revision)
   order by w.position
   limit 5`;

/** Events of the log that the audit trail does not have, although it has gone past them. */
const missingEvents = async (
  { database, log }: Sources,
  signal: AbortSignal,
): Promise<readonly RowDifference[]> => {
  const { position: upTo } = await database.transaction((tx) => loadCheckpoint(tx, READ_MODEL));
  const isDue = ({ stream, position }: LogEvent): boolean =>
    position <= upTo && parseStream(stream) !== undefined;
  for await (const { events, position } of log.readForward(null, signal)) {
    const due = events.filter(isDue);
    const { rows } = await database.transaction((tx) =>
      tx.query(MISSING, [
        due.map((event) => event.position),
        due.map(({ stream }) => stream),
        due.map(({ revision }) => revision),
      ]),
    );
    if (rows.length > 0)
      return rows.map((key) => ({ table: 'audit_event', key, column: null, only: 'rebuilt' }));
    if (position >= upTo) break;
  }
  return [];
};

/** Every row of every organization, and every event of the log. */
export const compareReadModel =
  (sources: Sources) =>
  async (organizations: readonly string[]): Promise<RowsCompared> => {
    const stopping = new AbortController();
    try {
      let compared: RowsCompared = {
        ...NOTHING_COMPARED,
        differences: await missingEvents(sources, stopping.signal),
      };
      for (const organizationId of organizations)
        compared = addCompared(compared, await compareOrganization(sources)(organizationId));
      return addCompared(compared, {
        ...NOTHING_COMPARED,
        differences: await strays(sources, undefined),
      });
    } finally {
      stopping.abort();
    }
  };
