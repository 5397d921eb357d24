import { type Pool } from 'pg';
import { type ExistingFlag } from '../../domain/flag/flag.js';
import { type Position } from '../../domain/position.js';
import { type ExistingProject } from '../../domain/project.js';
import { type ExistingSegment } from '../../domain/segment.js';
import { type EventPlace } from '../../domain/skipped-events.js';

type Row<Id, State> = Readonly<Id & { revision: number; position: Position; state: State }>;

/** Every project, flag and segment as it is now, deleted ones included, all at one log position. */
export type CurrentStates = Readonly<{
  /** The log position that the read model stands at; null while it has applied nothing. */
  position: Position | null;
  /** When the last event was recorded: RFC 3339, UTC, milliseconds. */
  recordedAt: string | null;
  /** The position of the last event in the states, or in the audit trail; null without any. */
  applied: Position | null;
  projects: readonly Row<{ projectId: string }, ExistingProject>[];
  flags: readonly Row<{ projectId: string; key: string }, ExistingFlag>[];
  segments: readonly Row<{ projectId: string; key: string }, ExistingSegment>[];
  /** Streams that stand still in front of an event that cannot be applied. */
  parked?: readonly ParkedRow[];
  /** Events that are skipped. */
  skipped?: readonly EventPlace[];
}>;

/** `since`: the event in front of which it stands. Revision and position are those of the last one that waits. */
type ParkedRow = Readonly<{
  stream: string;
  revision: number;
  position: Position;
  waiting: number;
  since: Readonly<{
    revision: number;
    position: Position;
    type: string;
    recordedAt: string;
    error: string;
  }>;
}>;

type Db = Pick<Pool, 'connect'>;
type Checkpoint = Readonly<{
  position: Position | null;
  recordedAt: Date | null;
  applied: Position | null;
}>;

const NO_CHECKPOINT: Checkpoint = { position: null, recordedAt: null, applied: null };

const CHECKPOINT = `select c.position, c.recorded_at as "recordedAt",
         (select max(e.position) from audit_event e) as applied
    from checkpoint c
   order by c.position
   limit 1`;

const PROJECTS = `select p.project_id as "projectId", p.revision, p.position, p.state
    from project p
   where $1::text is null or p.project_id = $1
   order by p.project_id`;

const FLAGS = `select f.project_id as "projectId", f.key, f.revision, f.position, f.state
    from flag f
   where $1::text is null or f.project_id = $1
   order by f.project_id, f.key`;

const SEGMENTS = `select s.project_id as "projectId", s.key, s.revision, s.position,
         segment_state(s.project_id, s.key, s.revision, s.state, s.keys_from) as state
    from segment s
   where $1::text is null or s.project_id = $1
   order by s.project_id, s.key`;

const PARKED = `select p.stream, p.revision::float8 as since, p.position as at, p.type,
         p.recorded_at as "recordedAt", p.error, p.waiting::float8 as waiting,
         p.last_revision::float8 as revision, p.last_position as position
    from parked_stream p
   order by p.stream`;

const SKIPPED = `select k.skipped_stream as stream, k.skipped_revision::float8 as revision
    from skipped_event k`;

type Parked = Pick<ParkedRow, 'stream' | 'revision' | 'position' | 'waiting'> &
  Readonly<{ since: number; at: Position; type: string; recordedAt: Date; error: string }>;

const parkedOf = ({ since, at, type, recordedAt, error, ...row }: Parked): ParkedRow => ({
  ...row,
  since: { revision: since, position: at, type, recordedAt: recordedAt.toISOString(), error },
});

/**
 * Everything, or one project, in one transaction of one snapshot, so that it all stands at the checkpoint's position.
 */
export const loadCurrentStates =
  (db: Db) =>
  async (projectId?: string): Promise<CurrentStates> => {
    const client = await db.connect();
    let isBroken = true;
    const only = [projectId ?? null];
    try {
      await client.query('begin isolation level repeatable read, read only');
      const [checkpoint = NO_CHECKPOINT] = (await client.query<Checkpoint>(CHECKPOINT)).rows;
      const projects = await client.query<CurrentStates['projects'][number]>(PROJECTS, only);
      const flags = await client.query<CurrentStates['flags'][number]>(FLAGS, only);
      const segments = await client.query<CurrentStates['segments'][number]>(SEGMENTS, only);
      const parked = await client.query<Parked>(PARKED);
      const skipped = await client.query<EventPlace>(SKIPPED);
      await client.query('commit');
      isBroken = false;
      return {
        position: checkpoint.position,
        recordedAt: checkpoint.recordedAt?.toISOString() ?? null,
        applied: checkpoint.applied,
        projects: projects.rows,
        flags: flags.rows,
        segments: segments.rows,
        parked: parked.rows.map(parkedOf),
        skipped: skipped.rows,
      };
    } finally {
      // A connection with a transaction left open must not go back to the pool.
      client.release(isBroken);
    }
  };
