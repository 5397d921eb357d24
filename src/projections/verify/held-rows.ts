import { CHAIN_START } from '../../domain/audit/chain.js';
import { type Json } from '../../domain/json.js';
import { LAST_POSITION, type Position, toPosition } from '../../domain/position.js';
import { type Category, projectIdOf, type StreamParts } from '../../domain/streams.js';
import { type SkippedPlace } from '../../domain/verification.js';
import { loadCheckpoint } from '../checkpoint.js';
import { type LinkedStep } from '../fold/link-steps.js';
import {
  type Database,
  type Row,
  type Table,
  type Transaction,
  wholeNumbers,
} from '../projection.js';
import { READ_MODEL, READ_MODELS } from '../read-models.js';
import { isOf } from '../write-rows.js';

export const TABLES = READ_MODELS.flatMap(({ tables }) => tables);

export type Stored = Readonly<Record<string, Json>>;

export const textIn = (row: Stored | undefined, column: string): string => {
  const value = row?.[column];
  return typeof value === 'string' ? value : '';
};

/** The rows of one stream, as they are and with what comes before them in the log. */
export type Held = Readonly<{
  upTo: Position;
  rows: ReadonlyMap<string, readonly Stored[]>;
  /** By position. */
  before: ReadonlyMap<Position, Before>;
  /** Its events that are skipped. */
  skipped: readonly SkippedPlace[];
}>;

/** What came before an event: the time of the event before it, and the link that the organization's chain had. */
export type Before = Readonly<{ recordedAt: string | null; link: LinkedStep['link'] }>;

export const NOTHING_BEFORE: Before = { recordedAt: null, link: CHAIN_START };

/** The name of the stream that a row (`t`) is of; the organization's id is the first part of a project's. */
export const streamText = ({ stream, category }: Table): string =>
  stream[0] === 'stream'
    ? 't.stream'
    : `'${category ?? ''}-' || ${stream.map((column) => `t.${column}`).join(` || ':' || `)}`;

/** Which rows are of the streams asked for, by the columns that name streams. */
const isAskedFor = ({ stream }: Table): string => {
  const [first = '', second] = stream;
  if (second !== undefined)
    return `(t.${first}, t.${second}) in (select * from unnest($2::text[], $3::text[]))`;
  return (
    { stream: 't.stream = any ($1)', project_id: 't.project_id = any ($2)' }[first] ??
    `t.${first} = any ($4)`
  );
};

/** Whether a table has a row for each revision of a stream. */
export const isOfRevisions = ({ key }: Table): boolean => key.includes('revision');

/** Whether a table has a row for each event of a stream. */
export const isOfEvents = ({ name }: Table): boolean =>
  name === 'audit_event' || name === 'audit_chain';

const atPlaces = (event: string): string => `${event}.position > $5 and ${event}.position <= $6`;

/** Which rows are of the slice asked for; of tables with what is now, all of them. */
const isOfSlice = (table: Table): string => {
  if (isOfEvents(table)) return atPlaces('t');
  return isOfRevisions(table) ? 't.revision > $7 and t.revision <= $8' : 'true';
};

/** Links have no stream of their own. */
const LINKS = `
    from audit_chain t
    join audit_event e on e.organization_id = t.organization_id and e.position = t.position
   where e.stream = any ($1) and ${atPlaces('e')}`;

const rowsIn = (table: Table): string => {
  const isLinks = table.name === 'audit_chain';
  return `
  select ${isLinks ? 'e.stream' : streamText(table)} as stream, '${table.name}' as part,
         to_json(t) as row, ${wholeNumbers(table, 't')} as numbers
    ${isLinks ? LINKS : `from ${table.name} t where ${isAskedFor(table)} and ${isOfSlice(table)}`}`;
};

/** What came before each event of the streams. */
const BEFORE = `
  select e.stream, 'before',
         json_build_object(
           'position', e.position::text,
           'previous_at', (select p.recorded_at from audit_event p
                            where p.position < e.position order by p.position desc limit 1),
           'sequence', l.sequence,
           'hash', l.hash), null
    from audit_event e
    left join lateral (select c.sequence, encode(c.hash, 'hex') as hash
                         from audit_chain c
                        where c.organization_id = e.organization_id and c.position < e.position
                        order by c.position desc limit 1) l on true
   where e.stream = any ($1) and ${atPlaces('e')}`;

const SKIPPED = `
  select k.skipped_stream, 'skipped',
         json_build_object(
           'revision', k.skipped_revision,
           'position', k.skipped_position::text,
           'type', k.skipped_type,
           'reason', k.reason), null
    from skipped_event k
   where k.skipped_stream = any ($1)`;

/**
 * All that is held of some streams of one category, in one statement: for most streams asking takes longer than
 * answering. $1: the streams, $2: their projects, $3: their keys, $4: their organizations; $5 and $6: after and up to which position,
 * $7 and $8: which revision.
 */
const heldStatement = (category: Category): string =>
  [
    'with asked as (select $1::text[], $2::text[], $3::text[], $4::text[], $5::bigint, $6::bigint, $7::bigint, $8::bigint)',
    [...TABLES.filter((table) => isOf(table, { category })).map(rowsIn), BEFORE, SKIPPED].join(
      '\n union all',
    ),
  ].join('\n');

const beforeOf = ({ previous_at: at, sequence, hash }: Stored): Before => ({
  recordedAt: typeof at === 'string' ? new Date(at).toISOString() : null,
  link: typeof hash === 'string' ? { sequence: Number(sequence), hash } : NOTHING_BEFORE.link,
});

const placeIn = (row: Stored): Position => toPosition(row['position'] as string);

const skippedIn = (stream: string, rows: readonly Stored[] = []): readonly SkippedPlace[] =>
  rows
    .map((row) => ({
      stream,
      revision: Number(row['revision']),
      position: row['position'] === null ? -1 : placeIn(row),
      type: row['type'] as string | null,
      reason: row['reason'] as string | null,
    }))
    .toSorted((left, right) => left.revision - right.revision);

/** A stream that is one of ours. */
export type Asked = Readonly<{ stream: string; parts: StreamParts }>;

/** What the statement found: stream → part → rows. */
const grouped = (rows: readonly Row[]): ReadonlyMap<string, Map<string, Stored[]>> => {
  const found = new Map<string, Map<string, Stored[]>>();
  for (const { stream, part, row, numbers } of rows) {
    const parts = found.get(String(stream)) ?? new Map<string, Stored[]>();
    found.set(String(stream), parts);
    const held = parts.get(String(part)) ?? [];
    parts.set(String(part), held);
    held.push({ ...(row as Stored), ...(numbers as Stored | null) });
  }
  return found;
};

/** Rows between two places of the log, and two revisions of the stream; each after the first, up to the second. */
export type Slice = Readonly<{
  positions: readonly [Position, Position];
  revisions: readonly [Position, Position];
}>;

/** In front of everything, and behind it. */
export const FRONT: Position = -(2n ** 63n);
export const END: Position = LAST_POSITION;
const EVERYTHING: Slice = { positions: [FRONT, END], revisions: [FRONT, END] };

/** One moment of the read model, however many statements ask for it. */
export type Moment = Readonly<{ tx: Transaction; upTo: Position }>;

/** How long the log may keep a moment waiting. */
const PATIENCE = '60s';

export const atOneMoment = <T>(
  database: Database,
  work: (moment: Moment) => Promise<T>,
): Promise<T> =>
  database.transaction(async (tx) => {
    await tx.query('set transaction isolation level repeatable read, read only');
    await tx.query(`set local idle_in_transaction_session_timeout = '${PATIENCE}'`);
    const { position: upTo } = await loadCheckpoint(tx, READ_MODEL);
    return work({ tx, upTo });
  });

/** Rows of streams of one category. */
export const heldOf = async (
  { tx, upTo }: Moment,
  category: Category,
  asked: readonly Asked[],
  { positions, revisions }: Slice = EVERYTHING,
): Promise<(stream: string) => Held> => {
  const values = [
    asked.map(({ stream }) => stream),
    asked.map(({ parts }) => projectIdOf(parts.organizationId, parts.projectKey ?? '')),
    asked.map(({ parts }) => parts.key ?? ''),
    asked.map(({ parts }) => parts.organizationId),
    ...[...positions, ...revisions].map(String),
  ];
  const found = grouped((await tx.query(heldStatement(category), values)).rows);
  return (stream) => {
    const parts = found.get(stream) ?? new Map<string, Stored[]>();
    const before = (parts.get('before') ?? []).map((row) => [placeIn(row), beforeOf(row)] as const);
    const skipped = skippedIn(stream, parts.get('skipped'));
    return { upTo, rows: parts, before: new Map(before), skipped };
  };
};

/** Those of some streams that have too many events to be held at once. */
export const longStreams = async (
  { transaction }: Database,
  streams: readonly string[],
  limits: Readonly<{ events: number; bytes: number }>,
): Promise<ReadonlySet<string>> => {
  const { rows } = await transaction((tx) =>
    tx.query(
      `select stream from audit_event where stream = any ($1) group by stream
        having count(*) > $2 or sum(pg_column_size(data)) > $3`,
      [streams, limits.events, limits.bytes],
    ),
  );
  return new Set(rows.map(({ stream }) => String(stream)));
};
