import { type Change, changesBetween, projectChangesBetween } from '../../domain/changes.js';
import { organizationChangesBetween } from '../../domain/changes/organization-changes.js';
import { DomainError } from '../../domain/decider.js';
import { type ExistingFlag } from '../../domain/flag/flag.js';
import { type JsonObject } from '../../domain/json.js';
import { type ExistingOrganization } from '../../domain/organization.js';
import { type Position, positionInJson, toPosition } from '../../domain/position.js';
import { type ExistingProject } from '../../domain/project.js';
import { type Category } from '../../domain/streams.js';
import { type Database } from '../database.js';
import { wholeSegmentState } from '../entities/kinds.js';
import {
  needsWholeLists,
  segmentStepChanges,
  type StoredSegment,
} from '../entities/segment-steps.js';
import { type SortOrder } from '../entities/flag-filter.js';
import { type Moment } from '../moments.js';
import { decodeCursor, DEFAULT_LIMIT, type Page, pageOf } from '../paging.js';
import { type Fact, factColumns, type Provenance, provenanceOf } from '../provenance.js';
import { type ActorScope, nameActors, type NamedActor } from './actors.js';
import { auditConditions, type AuditFilter } from './audit-filter.js';

/** One event of the log, and what it changed; `data` is what the event itself says. */
export type AuditEntry = Omit<Provenance, 'actor'> &
  Readonly<{
    actor: NamedActor;
    category: Category;
    stream: string;
    project: string | null;
    /** Key or id of the flag, segment, API key or person. */
    key: string | null;
    environment: string | null;
    data: JsonObject;
    /** Empty for events that have no state of their own: keys, sessions, references. */
    changes: readonly Change[];
  }>;

/** What can have a state in the read model, by category. */
type Stated = Readonly<{
  flag: ExistingFlag;
  segment: StoredSegment;
  project: ExistingProject;
  organization: ExistingOrganization;
}>;

type Differences = Readonly<{
  [Kind in Exclude<keyof Stated, 'segment'>]: (
    before: Stated[Kind] | undefined,
    after: Stated[Kind],
  ) => readonly Change[];
}>;

const DIFFERENCES: Differences = {
  flag: changesBetween,
  project: projectChangesBetween,
  organization: organizationChangesBetween,
};

type StatesOf<Kind extends keyof Stated> = {
  [K in Kind]: Readonly<{ category: K; before: Stated[K] | null; after: Stated[K] | null }>;
}[Kind];

type NoStates = Readonly<{ category: Exclude<Category, keyof Stated>; before: null; after: null }>;

type Row = Fact &
  (StatesOf<keyof Stated> | NoStates) &
  Pick<AuditEntry, 'stream' | 'project' | 'key' | 'environment' | 'data'>;

/** `after` is the position of the row before; `upTo` the last position to read. */
type AuditRange = Readonly<{
  organizationId: string;
  seesPeople: boolean;
  filter: AuditFilter;
  order: SortOrder;
  after: Position | null;
  upTo: Position;
}>;

const isStated = (row: Row): row is Row & StatesOf<keyof Stated> =>
  row.category === 'segment' || row.category in DIFFERENCES;

const differences = <Kind extends keyof Differences>({
  category,
  before,
  after,
}: StatesOf<Kind>): readonly Change[] =>
  after === null ? [] : DIFFERENCES[category](before ?? undefined, after);

const stateChanges = (row: Row & StatesOf<keyof Stated>): readonly Change[] => {
  if (row.category !== 'segment') return differences(row);
  return row.after === null ? [] : segmentStepChanges(row);
};

const changesOf = (row: Row): readonly Change[] => (isStated(row) ? stateChanges(row) : []);

const entryOf = (row: Row): Omit<AuditEntry, 'actor'> & Pick<Provenance, 'actor'> => {
  const { category, stream, project, key, environment, data, before: _, after: __, ...fact } = row;
  const changes = changesOf(row);
  return { ...provenanceOf(fact), category, stream, project, key, environment, data, changes };
};

const PROJECT_ID = `e.organization_id || ':' || e.project_key`;

/** `before`: that of our event in front of it; events of others have revisions in the stream, too. */
type Side = 'before' | 'after';

const revisionAt = (side: Side): string =>
  side === 'after'
    ? 'and h.revision = e.revision limit 1'
    : 'and h.revision < e.revision order by h.revision desc limit 1';

/** The state on one side of an event of a stream. The limits keep Postgres from reading every revision. */
const stateAt = (side: Side): string => `case e.category
  when 'flag' then (select h.state
                      from flag_revision h
                     where h.project_id = ${PROJECT_ID}
                       and h.flag_key = e.entity_key
                      ${revisionAt(side)})
  when 'segment' then (select case when ${needsWholeLists('e')} then ${wholeSegmentState('h')} else h.state end
                         from segment_revision h
                        where h.project_id = ${PROJECT_ID}
                          and h.segment_key = e.entity_key
                      ${revisionAt(side)})
  when 'project' then (select h.state
                         from project_revision h
                        where h.project_id = ${PROJECT_ID}
                      ${revisionAt(side)})
  when 'organization' then (select h.state
                              from organization_revision h
                             where h.organization_id = e.organization_id
                      ${revisionAt(side)})
  end`;

const readRows = async (
  db: Database,
  { organizationId, filter, order, after, upTo }: AuditRange,
  limit: number,
): Promise<readonly Row[]> => {
  const { sql, values } = auditConditions(organizationId, filter);
  const [upToAt, limitAt, afterAt] = [1, 2, 3].map((nth) => `$${values.length + nth}`);
  const { rows } = await db.query<Row>({
    organizationId,
    text: `select e.category, e.stream, e.project_key as project, e.entity_key as key,
                  e.environment, e.data, ${factColumns('e')},
                  ${stateAt('before')} as before, ${stateAt('after')} as after
             from audit_event e
            where ${sql}
              and e.position <= ${upToAt}
              ${after === null ? '' : `and e.position ${order === 'asc' ? '>' : '<'} ${afterAt}`}
            order by e.position ${order}
            limit ${limitAt}`,
    values: [...values, upTo, limit, ...(after === null ? [] : [after])],
  });
  return rows;
};

/** The position as the digits of it, in a text, where a double does not hold it. */
const jsonOf = (entry: AuditEntry): string =>
  JSON.stringify(
    typeof entry.position === 'number' ? entry : { ...entry, position: String(entry.position) },
  );

/** Entries read at a time. States can be large, so a slice after a large one is smaller. */
const SLICE = { first: 25, least: 5, most: 200, bytes: 1_048_576 } as const;

/** An entry, and how long its JSON is. */
export type Sized = Readonly<{ entry: AuditEntry; json: string }>;

const nextSize = (size: number, read: readonly Sized[]): number => {
  const bytes = read.reduce((sum, { json }) => sum + json.length, 0);
  return bytes > SLICE.bytes
    ? Math.max(SLICE.least, Math.floor(size / 2))
    : Math.min(SLICE.most, size * 2);
};

/**
 * Entries in log order, or against it, slice by slice: what bounds the memory of a page or an export.
 * @throws DomainError malformed-time
 */
export async function* auditSlices(
  db: Database,
  range: AuditRange,
): AsyncGenerator<readonly Sized[]> {
  let { after } = range;
  for (let size: number = SLICE.first; ;) {
    const rows = await readRows(db, { ...range, after }, size);
    const entries = await nameActors(db)(rows.map(entryOf), range);
    const slice = entries.map((entry) => ({ entry, json: jsonOf(entry) }));
    if (slice.length > 0) yield slice;
    const last = rows.at(-1);
    if (last === undefined || rows.length < size) return;
    after = last.position;
    size = nextSize(size, slice);
  }
}

/** @defaultValue order: desc, so the newest event first */
type AuditLog = ActorScope &
  Readonly<{
    filter: AuditFilter;
    /** The last position to answer. */
    upTo: Moment;
    order?: SortOrder;
    limit?: number;
    cursor?: string;
  }>;

/** A page ends before this many characters of JSON, but has one entry at least. */
const PAGE_CHARACTERS = 4_194_304;

/** Entries up to a limit and one more, if there are; `fitting` of them make a page. */
const readPage = async (
  slices: AsyncGenerator<readonly Sized[]>,
  limit: number,
): Promise<Readonly<{ entries: readonly AuditEntry[]; fitting: number }>> => {
  const entries: AuditEntry[] = [];
  let characters = 0;
  for await (const slice of slices) {
    for (const { entry, json } of slice) {
      entries.push(entry);
      characters += json.length;
      if (characters > PAGE_CHARACTERS && entries.length > 1)
        return { entries, fitting: Math.min(limit, entries.length - 1) };
    }
    if (entries.length > limit) break;
  }
  return { entries, fitting: limit };
};

/** A page of everything that happened in an organization. @throws DomainError malformed-time, invalid-cursor */
export const auditLog =
  (db: Database) =>
  async ({
    limit = DEFAULT_LIMIT,
    cursor,
    upTo,
    ...question
  }: AuditLog): Promise<Page<AuditEntry>> => {
    const { organizationId, seesPeople, filter, order = 'desc' } = question;
    const scope = { list: 'audit', organizationId, order, ...filter };
    const [last] = cursor === undefined ? [] : decodeCursor(scope, cursor, ['position']);
    const after = last === undefined ? null : toPosition(last);
    const range = { organizationId, seesPeople, filter, order, after, upTo: upTo.position };
    const { entries, fitting } = await readPage(auditSlices(db, range), limit);
    return pageOf(entries, fitting, scope, ({ position }) => [positionInJson(position)]);
  };

/** One event. @throws DomainError event-not-found when the organization has none there, or the filter leaves it out */
export const auditEntry =
  (db: Database) =>
  async (
    position: Position,
    { organizationId, seesPeople, filter }: ActorScope & Readonly<{ filter: AuditFilter }>,
  ): Promise<AuditEntry> => {
    const range = { organizationId, seesPeople, filter, order: 'desc' } as const;
    for await (const [found] of auditSlices(db, { ...range, after: null, upTo: position }))
      if (found?.entry.position === position) return found.entry;
      else break;
    throw new DomainError(
      'event-not-found',
      `This organization has no event at position ${position}.`,
    );
  };
