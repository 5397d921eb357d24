import { type Change } from '../../domain/changes.js';
import { type JsonObject } from '../../domain/json.js';
import { projectIdOf, segmentStream } from '../../domain/streams.js';
import { type Database } from '../database.js';
import { type SortOrder } from '../flags/flag-filter.js';
import { type FlagHistoryFilter, historyConditions, historySql } from '../flags/history-sql.js';
import { readPosition } from '../moments/read-position.js';
import { decodeCursor } from '../paging/cursor.js';
import { DEFAULT_LIMIT, type Page, pageOf } from '../paging/page.js';
import { type Fact, type Provenance, provenanceOf } from '../provenance.js';
import { getSegment, type SegmentAddress } from './get-segment.js';
import { segmentStepChanges, type StoredSegment } from './segment-row.js';

/** @defaultValue order: desc, so the newest event first */
export type SegmentHistory = SegmentAddress &
  Omit<FlagHistoryFilter, 'environment'> &
  Readonly<{ order?: SortOrder; limit?: number; cursor?: string }>;

/** One event with what it changed; `data` is what the event itself says. */
export type SegmentHistoryItem = Provenance &
  Readonly<{ data: JsonObject; changes: readonly Change[] }>;

type Row = Fact & {
  data: JsonObject;
  before: StoredSegment | null;
  after: StoredSegment | null;
};

const itemOf = (row: Row): SegmentHistoryItem => ({
  ...provenanceOf(row),
  data: row.data,
  // Only an event that this version does not understand leaves no state behind.
  changes: row.after === null ? [] : segmentStepChanges(row),
});

/**
 * A page of a segment's events, from its creation on, over deletion and restore.
 * @throws DomainError project-not-found, segment-not-found, malformed-time, invalid-cursor
 */
export const segmentHistory =
  (db: Database) =>
  async ({
    limit = DEFAULT_LIMIT,
    cursor,
    ...question
  }: SegmentHistory): Promise<Page<SegmentHistoryItem>> => {
    const { organizationId, project, segment, order = 'desc' } = question;
    const projectId = projectIdOf(organizationId, project);
    const scope = { list: 'segment-history', ...question };
    const [revision] = cursor === undefined ? [] : decodeCursor(scope, cursor, ['number']);
    const stream = segmentStream(projectId, segment);
    const wanted = historyConditions(stream, question, { revision, order });
    const { rows } = await db.query<Row>({
      organizationId,
      text: historySql(wanted, order, 'segment'),
      values: [...wanted.values, projectId, segment, limit + 1],
    });
    // An empty answer is right for a filter, but not for a segment that never was.
    if (rows.length === 0) await getSegment(db)(question, await readPosition(db)());
    return pageOf(rows.map(itemOf), limit, scope, ({ revision }) => [revision]);
  };
