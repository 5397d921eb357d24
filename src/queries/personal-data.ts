import { type ExistingFlag } from '../domain/flag/flag.js';
import { sealedPrefix } from '../domain/personal/sealed-text.js';
import { type Place, placesInFlag, placesInSegment } from '../domain/personal/targeting-fields.js';
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
  /** Of the event that tells of it; null while that is not in the log. As in JSON. */
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
  /** What the person did, not what was done about the person. */
  isOwnAction: boolean;
  /** Of own actions. */
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
  subjectIds: readonly string[];
  userIds: readonly string[];
}>;

const MOST_EVENTS = 10_000;

/** Ids are base64url, where "_" would mean any character to `like`. */
const containing = (subjectIds: readonly string[]): readonly string[] =>
  subjectIds.map((id) => `%${sealedPrefix(id).replaceAll('_', '\\_')}%`);

type StateRow<State> = { project: string; key: string; status: string; state: State };

const namedIn = <State>(
  rows: readonly StateRow<State>[],
  placesOf: (state: State, names: (text: string) => boolean) => readonly Place[],
  subjectIds: readonly string[],
): readonly NamedIn[] => {
  const prefixes = subjectIds.map(sealedPrefix);
  const names = (text: string): boolean => prefixes.some((prefix) => text.startsWith(prefix));
  return rows.map(({ state, ...row }) => ({ ...row, places: placesOf(state, names) }));
};

/** Of a row of the table `s`. */
const WHOLE_STATE = {
  flag: 's.state',
  segment: 'segment_state(s.project_id, s.key, s.revision, s.state, s.keys_from)',
} as const;

const statesNaming = async <State>(
  db: Database,
  table: 'flag' | 'segment',
  { organizationId, subjectIds }: Person,
): Promise<readonly StateRow<State>[]> => {
  const { rows } = await db.query<StateRow<State>>({
    text: `select split_part(s.project_id, ':', 2) as project, s.key, s.status, w.state
             from ${table} s
            cross join lateral (select ${WHOLE_STATE[table]} as state) w
            where starts_with(s.project_id, $1 || ':')
              and w.state::text like any ($2::text[])
            order by s.project_id, s.key`,
    values: [organizationId, containing(subjectIds)],
  });
  return rows;
};

const eventsOf = async (
  db: Database,
  { organizationId, subjectIds, userIds }: Person,
): Promise<readonly PersonalEvent[]> => {
  type Row = Omit<PersonalEvent, 'recordedAt'> & { recordedAt: Date };
  const { rows } = await db.query<Row>({
    organizationId,
    text: `select e.position as position, e.recorded_at as "recordedAt", e.type, e.stream,
                  e.actor_id = any ($3::text[]) as "isOwnAction",
                  case when e.actor_id = any ($3::text[]) then e.metadata ->> 'ip' end as ip,
                  case when e.actor_id = any ($3::text[])
                       then e.metadata ->> 'userAgent' end as "userAgent"
             from audit_event e
            where e.organization_id = $1
              and (e.actor_id = any ($3::text[]) or e.stream = any ($5::text[])
                   or e.data::text like any ($2::text[]))
            order by e.position
            limit $4`,
    values: [
      organizationId,
      containing(subjectIds),
      userIds,
      MOST_EVENTS + 1,
      userIds.map((userId) => sessionStream(organizationId, userId)),
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
    const flags = await statesNaming<ExistingFlag>(db, 'flag', person);
    const segments = await statesNaming<ExistingSegment>(db, 'segment', person);
    const sessions = await sessionsOf(db, person);
    const events = await eventsOf(db, person);
    return {
      flags: namedIn(flags, placesInFlag, subjectIds),
      segments: namedIn(segments, placesInSegment, subjectIds),
      sessions,
      events: events.slice(0, MOST_EVENTS),
      isComplete: events.length <= MOST_EVENTS,
    };
  };

/** A user who has, or had, an address. */
type UserOf = Readonly<{ userId: string }>;

/** Ids of the users who ever joined with the address of these subjects, as the audit trail knows them. */
export const usersOf =
  (db: Database) =>
  async (organizationId: string, subjectId: string): Promise<readonly string[]> => {
    const { rows } = await db.query<UserOf>({
      name: 'users_of_subject',
      text: `select distinct coalesce(e.data ->> 'userId', e.data #>> '{owner,userId}') as "userId"
               from audit_event e
              where e.organization_id = $1
                and e.type in ('MemberJoined', 'OrganizationRegistered')
                and starts_with(coalesce(e.data ->> 'email', e.data #>> '{owner,email}'), $2)`,
      values: [organizationId, sealedPrefix(subjectId)],
    });
    return rows.map(({ userId }) => userId);
  };
