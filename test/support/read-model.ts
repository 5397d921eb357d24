import type pg from 'pg';
import { CHAIN_START, type Link, linkAfter } from '../../src/domain/audit/chain.js';
import { type DomainEvent } from '../../src/domain/catalogue.js';
import { type Event } from '../../src/domain/decider.js';
import { type FlagEvent } from '../../src/domain/flag/events.js';
import { absentFlag, evolveFlag, type Flag } from '../../src/domain/flag/flag.js';
import {
  absentOrganization,
  evolveOrganization,
  type Organization,
  type OrganizationEvent,
} from '../../src/domain/organization.js';
import {
  absentProject,
  evolveProject,
  type Project,
  type ProjectEvent,
} from '../../src/domain/project.js';
import { type Recorded } from '../../src/domain/recorded.js';
import {
  absentSegment,
  evolveSegment,
  type Segment,
  type SegmentEvent,
} from '../../src/domain/segment.js';
import { parseStream, projectIdOf } from '../../src/domain/streams.js';
import { type EventLog } from '../../src/queries/log/replay.js';

type Log = readonly Recorded<DomainEvent>[];

const insert = async (db: pg.Pool, table: string, row: Record<string, unknown>): Promise<void> => {
  const columns = Object.keys(row);
  await db.query(
    `insert into ${table} (${columns.join(', ')})
     values (${columns.map((_, index) => `$${index + 1}`).join(', ')})`,
    Object.values(row),
  );
};

const environmentOf = (event: DomainEvent): string | null => {
  if (event.type === 'FlagPromoted') return event.data.to;
  return 'environment' in event.data ? event.data.environment : null;
};

const fillAudit = async (db: pg.Pool, log: Log): Promise<void> => {
  for (const event of log) {
    const parts = parseStream(event.stream)!;
    await insert(db, 'audit_event', {
      position: event.position,
      event_id: event.id,
      category: parts.category,
      stream: event.stream,
      revision: event.revision,
      organization_id: parts.organizationId,
      project_key: parts.projectKey,
      entity_key: parts.key,
      environment: environmentOf(event),
      type: event.type,
      actor_id: event.metadata.actor.id,
      recorded_at: event.recordedAt,
      data: JSON.stringify(event.data),
      metadata: JSON.stringify(event.metadata),
    });
  }
};

/** The hash chain of each organization. */
const fillChain = async (db: pg.Pool, log: Log): Promise<void> => {
  const heads = new Map<string, Link>();
  for (const event of log) {
    const organization_id = parseStream(event.stream)!.organizationId;
    const link = linkAfter(heads.get(organization_id) ?? CHAIN_START, organization_id, event);
    heads.set(organization_id, link);
    const { sequence, hash } = link;
    const row = { organization_id, sequence, position: event.position, hash: `\\x${hash}` };
    await insert(db, 'audit_chain', row);
  }
};

const rangeOf = (event: Recorded, next: Recorded | undefined) => ({
  revision: event.revision,
  position_from: event.position,
  position_to: next?.position ?? null,
  recorded_from: event.recordedAt,
  recorded_to: next?.recordedAt ?? null,
});

const currentOf = (stream: Log) => ({
  revision: stream.at(-1)!.revision,
  position: stream.at(-1)!.position,
  created_at: stream[0]!.recordedAt,
  updated_at: stream.at(-1)!.recordedAt,
});

const fillFlag = async (db: pg.Pool, stream: Log): Promise<void> => {
  const { organizationId, projectKey, key } = parseStream(stream[0]!.stream)!;
  const project_id = projectIdOf(organizationId, projectKey!);
  let flag: Flag = absentFlag;
  for (const [index, event] of stream.entries()) {
    flag = evolveFlag(flag, event as FlagEvent);
    const state = JSON.stringify(flag);
    const range = rangeOf(event, stream[index + 1]);
    await insert(db, 'flag_revision', { project_id, flag_key: key, ...range, state });
  }
  if (flag.status === 'absent') return;
  const { name, description, type, status, tags } = flag;
  const state = JSON.stringify(flag);
  const shown = { name, description, type, status, tags, state };
  await insert(db, 'flag', { project_id, key, ...currentOf(stream), ...shown });
};

const fillSegment = async (db: pg.Pool, stream: Log): Promise<void> => {
  const { organizationId, projectKey, key } = parseStream(stream[0]!.stream)!;
  const project_id = projectIdOf(organizationId, projectKey!);
  let segment: Segment = absentSegment;
  for (const [index, event] of stream.entries()) {
    segment = evolveSegment(segment, event as SegmentEvent);
    const state = JSON.stringify(segment);
    const range = rangeOf(event, stream[index + 1]);
    await insert(db, 'segment_revision', { project_id, segment_key: key, ...range, state });
  }
  if (segment.status === 'absent') return;
  const { name, description, status, tags } = segment;
  const shown = { name, description, status, tags, state: JSON.stringify(segment) };
  await insert(db, 'segment', { project_id, key, ...currentOf(stream), ...shown });
};

const fillProject = async (db: pg.Pool, stream: Log): Promise<void> => {
  let project: Project = absentProject;
  const { organizationId, projectKey } = parseStream(stream[0]!.stream)!;
  const project_id = projectIdOf(organizationId, projectKey!);
  for (const [index, event] of stream.entries()) {
    project = evolveProject(project, event as ProjectEvent);
    const range = rangeOf(event, stream[index + 1]);
    await insert(db, 'project_revision', { project_id, ...range, state: JSON.stringify(project) });
  }
  if (project.status === 'absent') return;
  const { name, status, key } = project;
  const shown = { organization_id: organizationId, key, name, status };
  const state = JSON.stringify(project);
  await insert(db, 'project', { project_id, ...shown, ...currentOf(stream), state });
};

const fillOrganization = async (db: pg.Pool, stream: Log): Promise<void> => {
  let organization: Organization = absentOrganization;
  const organization_id = parseStream(stream[0]!.stream)!.organizationId;
  for (const [index, event] of stream.entries()) {
    organization = evolveOrganization(organization, event as OrganizationEvent);
    const range = rangeOf(event, stream[index + 1]);
    const state = JSON.stringify(organization);
    await insert(db, 'organization_revision', { organization_id, ...range, state });
  }
  if (organization.status === 'absent') return;
  const shown = { name: organization.name, state: JSON.stringify(organization) };
  await insert(db, 'organization', { organization_id, ...currentOf(stream), ...shown });
};

/** Leaves no row in any table. */
export const emptyReadModel = async (db: pg.Pool): Promise<void> => {
  await db.query(
    `truncate checkpoint, audit_event, audit_chain, flag, flag_revision, project, project_revision,
              segment, segment_revision, organization, organization_revision, parked_stream, skipped_event`,
  );
};

/** Fills the empty tables from a log: the plainest way to do what the projections do. */
export const fillReadModel = async (db: pg.Pool, log: Log): Promise<void> => {
  await emptyReadModel(db);
  await fillAudit(db, log);
  await fillChain(db, log);
  for (const name of new Set(log.map(({ stream }) => stream))) {
    const stream = log.filter((event) => event.stream === name);
    const category = parseStream(name)?.category;
    if (category === 'flag') await fillFlag(db, stream);
    if (category === 'segment') await fillSegment(db, stream);
    if (category === 'project') await fillProject(db, stream);
    if (category === 'organization') await fillOrganization(db, stream);
  }
  const last = log.at(-1);
  if (last === undefined) return;
  await setPosition(db, last);
};

/** Moves the checkpoint. */
export const setPosition = async (
  db: pg.Pool,
  { position, recordedAt }: Pick<Recorded, 'position' | 'recordedAt'>,
): Promise<void> => {
  await db.query(
    `insert into checkpoint (projection, position, recorded_at)
     values ('read_model', $1, $2)
     on conflict (projection) do update
        set position = excluded.position, recorded_at = excluded.recorded_at`,
    [position, recordedAt],
  );
};

/** The same log as the event store would give it. */
export const eventLogOf = (log: Log): EventLog => ({
  readPage: async <E extends Event>(stream: string, fromRevision: number) => {
    const found = log.filter(
      (event) => event.stream === stream && event.revision >= fromRevision,
    ) as readonly Recorded[];
    // The caller names the events that its stream holds, as the port says.
    const events = found.slice(0, PAGE_SIZE) as readonly Recorded<E>[];
    const revision = events.at(-1)?.revision ?? fromRevision - 1;
    return { events, revision, isEnd: events.length === found.length };
  },
});

/** Small, so that replays go over several pages. */
const PAGE_SIZE = 3;
