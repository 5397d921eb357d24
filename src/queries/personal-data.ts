import { type ExistingFlag } from '../domain/flag/flag.js';
import { type Event } from '../domain/decider.js';
import {
  IN_CLEAR,
  isNamedInClear,
  markingClear,
  PERSONAL_TYPES,
} from '../domain/personal/personal-fields.js';
import { sealedPrefix } from '../domain/personal/sealed-text.js';
import {
  flagContent,
  type Place,
  placesInFlag,
  placesInSegment,
  segmentContent,
} from '../domain/personal/targeting-fields.js';
import { type Position } from '../domain/position.js';
import { type ExistingSegment } from '../domain/segment.js';
import { sessionStream } from '../domain/streams.js';
import { type Database } from './database.js';

/** What became of the erasure of one subject. */
export type Erasure = Readonly<{
  /** As in the text `erased:<subjectId>`. */
  subjectId: string;
  /** RFC 3339: when the key was destroyed. */
  erasedAt: string;
  /** Position of the event that records it; null while that is not in the log. As in JSON. */
  position: number | string | null;
  /** The read model and the rulesets have the event: nobody is shown, or evaluated with, what was erased. */
  isDone: boolean;
}>;

/** A flag or segment that names a person now; a deleted one can be restored, so it counts. */
type NamedIn = Readonly<{
  project: string;
  key: string;
  status: string;
  places: readonly Place[];
}>;

/** An event that names a person, that a user did, or that happened to that user's account. Of others who are named in it nothing is told. */
type PersonalEvent = Readonly<{
  position: Position;
  recordedAt: string;
  type: string;
  stream: string;
  /** Written before personal data was sealed: an erasure does not change it. */
  isInClear: boolean;
  /** What the person did, not what was done about the person. */
  isOwnAction: boolean;
  /** For own actions. */
  ip: string | null;
  userAgent: string | null;
}>;

/** A login that is kept; of a removed member, until it is erased. */
type PersonalSession = Readonly<{
  startedAt: string;
  refreshedAt: string;
  endedAt: string | null;
  method: string;
  userAgent: string | null;
}>;

/** All that the read model knows of one person, at one log position. */
export type KnownAbout = Readonly<{
  flags: readonly NamedIn[];
  segments: readonly NamedIn[];
  sessions: readonly PersonalSession[];
  /** Oldest first; `isComplete` is false when there are more. */
  events: readonly PersonalEvent[];
  isComplete: boolean;
}>;

/** The people to search for: subjects by id, and users by their actions. */
export type Person = Readonly<{
  organizationId: string;
  /** The value, normalised: for what was written before personal data was sealed. */
  person: string;
  subjectIds: readonly string[];
  userIds: readonly string[];
}>;

const MOST_EVENTS = 10_000;
/** Events that may name somebody in clear, at once: each may be of megabytes. */
const BATCH = 25;

/** Whether JSON has the text of the parameter somewhere, in whatever spelling: more than are meant. */
const mayName = (json: string, parameter: string): string =>
  `strpos(normalize(lower(${json}::text)), normalize(lower(to_jsonb(${parameter}::text)::text))) > 0`;

/** Ids are base64url, where "_" would mean any character to `like`. */
const containing = (subjectIds: readonly string[]): readonly string[] =>
  subjectIds.map((id) => `%${sealedPrefix(id).replaceAll('_', '\\_')}%`);

type StateRow<State> = { project: string; key: string; status: string; state: State };

const namedIn = <State>(
  rows: readonly StateRow<State>[],
  placesOf: (state: State, names: (text: string) => boolean) => readonly Place[],
  subjectIds: readonly string[],
): readonly NamedIn[] => {
  const prefixes = [IN_CLEAR, ...subjectIds.map(sealedPrefix)];
  const names = (text: string): boolean => prefixes.some((prefix) => text.startsWith(prefix));
  return rows
    .map(({ state, ...row }) => ({ ...row, places: placesOf(state, names) }))
    .filter(({ places }) => places.length > 0);
};

/** Columns of a row of the table `s`. */
const WHOLE_STATE = {
  flag: 's.state',
  segment: 'segment_state(s.project_id, s.key, s.revision, s.state, s.keys_from)',
} as const;

const statesNaming = async <State>(
  db: Database,
  table: 'flag' | 'segment',
  { organizationId, person, subjectIds }: Person,
): Promise<readonly StateRow<State>[]> => {
  const { rows } = await db.query<StateRow<State>>({
    text: `select split_part(s.project_id, ':', 2) as project, s.key, s.status, w.state
             from ${table} s
            cross join lateral (select ${WHOLE_STATE[table]} as state) w
            where starts_with(s.project_id, $1 || ':')
              and (w.state::text like any ($2::text[]) or ${mayName('w.state', '$3')})
            order by s.project_id, s.key`,
    values: [organizationId, containing(subjectIds), person],
  });
  return rows;
};

/** Positions of events that name the person in clear, one more than are told at most. */
const positionsInClear = async (
  db: Database,
  { organizationId, person }: Person,
): Promise<readonly Position[]> => {
  type Row = Event & { position: Position };
  const found: Position[] = [];
  for (let after: Position | undefined = -1; after !== undefined && found.length <= MOST_EVENTS;) {
    const { rows }: Readonly<{ rows: readonly Row[] }> = await db.query<Row>({
      text: `select e.position as position, e.type, e.data
               from audit_event e
              where e.organization_id = $1
                and e.type = any ($2::text[])
                and e.position > $3
                and ${mayName('e.data', '$4')}
              order by e.position
              limit ${BATCH}`,
      values: [organizationId, PERSONAL_TYPES, after, person],
    });
    for (const { position, ...event } of rows)
      if (isNamedInClear(event, person)) found.push(position);
    after = rows.length < BATCH ? undefined : rows.at(-1)?.position;
  }
  return found;
};

const eventsOf = async (db: Database, person: Person): Promise<readonly PersonalEvent[]> => {
  const { organizationId, subjectIds, userIds } = person;
  type Row = Omit<PersonalEvent, 'recordedAt'> & { recordedAt: Date };
  const { rows } = await db.query<Row>({
    organizationId,
    text: `select e.position as position, e.recorded_at as "recordedAt", e.type, e.stream,
                  e.actor_id = any ($3::text[]) as "isOwnAction",
                  case when e.actor_id = any ($3::text[]) then e.metadata ->> 'ip' end as ip,
                  case when e.actor_id = any ($3::text[])
                       then e.metadata ->> 'userAgent' end as "userAgent",
                  e.position = any ($6::bigint[])
                    or (e.actor_id = any ($3::text[]) or e.stream = any ($5::text[]))
                       and not (coalesce(e.metadata ->> 'ip', 'pd1:') like 'pd1:%'
                                and coalesce(e.metadata ->> 'userAgent', 'pd1:') like 'pd1:%')
                    as "isInClear"
             from audit_event e
            where e.organization_id = $1
              and (e.actor_id = any ($3::text[]) or e.stream = any ($5::text[])
                   or e.position = any ($6::bigint[]) or e.data::text like any ($2::text[]))
            order by e.position
            limit $4`,
    values: [
      organizationId,
      containing(subjectIds),
      userIds,
      MOST_EVENTS + 1,
      userIds.map((userId) => sessionStream(organizationId, userId)),
      await positionsInClear(db, person),
    ],
  });
  return rows.map((row) => ({ ...row, recordedAt: row.recordedAt.toISOString() }));
};

const sessionsOf = async (
  db: Database,
  { organizationId, userIds }: Person,
): Promise<readonly PersonalSession[]> => {
  type Row = Omit<PersonalSession, `${string}At`> &
    Record<'startedAt' | 'refreshedAt', Date> & {
      endedAt: Date | null;
    };
  const { rows } = await db.query<Row>({
    text: `select s.started_at as "startedAt", s.refreshed_at as "refreshedAt", s.ended_at as "endedAt",
                  s.method, s.user_agent as "userAgent"
             from chronoflag.session s
            where s.organization_id = $1
              and s.user_id = any ($2::text[])
            order by s.started_at`,
    values: [organizationId, userIds],
  });
  return rows.map(({ startedAt, refreshedAt, endedAt, ...row }) => ({
    ...row,
    startedAt: startedAt.toISOString(),
    refreshedAt: refreshedAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
  }));
};

/** Reads every row of the organization: not for the connections that requests share. */
export const knownAbout =
  (db: Database) =>
  async (person: Person): Promise<KnownAbout> => {
    const { subjectIds } = person;
    const mark = markingClear(person.person);
    const flags = await statesNaming<ExistingFlag>(db, 'flag', person);
    const segments = await statesNaming<ExistingSegment>(db, 'segment', person);
    const sessions = await sessionsOf(db, person);
    const events = await eventsOf(db, person);
    return {
      flags: namedIn(
        flags,
        (flag, names) => placesInFlag(flagContent(flag, mark), names),
        subjectIds,
      ),
      segments: namedIn(
        segments,
        (segment, names) => placesInSegment(segmentContent(segment, mark), names),
        subjectIds,
      ),
      sessions,
      events: events.slice(0, MOST_EVENTS),
      isComplete: events.length <= MOST_EVENTS,
    };
  };

/** A user who has, or had, an address. */
type UserOf = Readonly<{ userId: string }>;

/** Ids of the users who ever joined with this address, sealed or in clear, as the audit trail knows them. */
export const usersOf =
  (db: Database) =>
  async (
    organizationId: string,
    { person, subjectId }: Readonly<{ person: string; subjectId: string | undefined }>,
  ): Promise<readonly string[]> => {
    const { rows } = await db.query<UserOf>({
      name: 'users_of_subject',
      text: `select distinct coalesce(e.data ->> 'userId', e.data #>> '{owner,userId}') as "userId"
               from audit_event e
              cross join lateral (select coalesce(e.data ->> 'email', e.data #>> '{owner,email}') as email) a
              where e.organization_id = $1
                and e.type in ('MemberJoined', 'OrganizationRegistered')
                and (starts_with(a.email, $2) or normalize(lower(a.email)) = $3)`,
      values: [organizationId, subjectId === undefined ? null : sealedPrefix(subjectId), person],
    });
    return rows.map(({ userId }) => userId);
  };
