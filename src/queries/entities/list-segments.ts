import { type ExistingSegment } from '../../domain/segment.js';
import { projectIdOf } from '../../domain/streams.js';
import { type Database } from '../database.js';
import { type Moment } from '../moments.js';
import { decodeCursor, DEFAULT_LIMIT, type Page, pageOf } from '../paging.js';
import { getProject, type ProjectAddress } from '../projects.js';
import { timeText } from '../provenance.js';
import { storedRevisionAt } from './entity-at.js';
import { type StoredSegment } from './segment-steps.js';
import { composed, containing } from './flag-filter.js';

export type SegmentStatusFilter = ExistingSegment['status'] | 'all';

/** Without a status: active ones. As they were at the moment. */
export type ListSegments = ProjectAddress &
  Readonly<{
    moment: Moment;
    status?: SegmentStatusFilter;
    /** Segments that have all of them. */
    tags?: readonly string[];
    /** Anywhere in key, name or description, in any case. */
    text?: string;
    limit?: number;
    cursor?: string;
  }>;

export type SegmentListItem = Readonly<{
  key: string;
  name: string;
  description: string;
  status: ExistingSegment['status'];
  tags: readonly string[];
  /** How many there are. */
  included: number;
  excluded: number;
  rules: number;
  revision: number;
  createdAt: string;
  updatedAt: string;
}>;

type Row = { state: StoredSegment; revision: number; createdAt: Date; updatedAt: Date };

const countsOf = ({ counts, included = [], excluded = [] }: StoredSegment) =>
  counts ?? { included: included.length, excluded: excluded.length };

const itemOf = ({ state, revision, createdAt, updatedAt }: Row): SegmentListItem => ({
  key: state.key,
  name: state.name,
  description: state.description,
  status: state.status,
  tags: state.tags,
  ...countsOf(state),
  rules: state.rules.length,
  revision,
  createdAt: timeText(createdAt),
  updatedAt: timeText(updatedAt),
});

const SQL = `
  select r.state, r.revision::float8 as revision, s.created_at as "createdAt",
         r.recorded_from as "updatedAt"
    from segment s
   cross join lateral (${storedRevisionAt('$7')}) r
   where s.project_id = $1
     and s.key > $2
     and ($3 = 'all' or r.state ->> 'status' = $3)
     and ($4::text[] is null or array(select jsonb_array_elements_text(r.state -> 'tags')) @> $4::text[])
     and ($5::text is null or s.key ilike $5 or ${composed("r.state ->> 'name'")} ilike $5
          or ${composed("r.state ->> 'description'")} ilike $5)
   order by s.key
   limit $6`;

/** A page of a project's segments, by key. @throws DomainError project-not-found, project-not-yet-created, invalid-cursor */
export const listSegments =
  (db: Database) =>
  async ({
    limit = DEFAULT_LIMIT,
    cursor,
    moment,
    ...question
  }: ListSegments): Promise<Page<SegmentListItem>> => {
    const { organizationId, project, status = 'active', tags, text } = question;
    const scope = { list: 'segments', ...question };
    const [after = ''] = cursor === undefined ? [] : decodeCursor(scope, cursor, ['string']);
    await getProject(db)(question, moment);
    const { rows } = await db.query<Row>({
      name: 'list_segments',
      text: SQL,
      values: [
        projectIdOf(organizationId, project),
        after,
        status,
        tags,
        text === undefined ? undefined : containing(text),
        limit + 1,
        moment.position,
      ],
    });
    return pageOf(rows.map(itemOf), limit, scope, ({ key }) => [key]);
  };
