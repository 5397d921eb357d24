import { type ExistingOf } from '../../domain/aggregates.js';
import { type Change, projectChangesBetween } from '../../domain/changes.js';
import { type Position } from '../../domain/position.js';
import { type ExistingProject } from '../../domain/project.js';
import { projectIdOf, projectStream } from '../../domain/streams.js';
import { agrees, type RowsCompared } from '../../domain/verification.js';
import { type Database } from '../database.js';
import { type Kind, KINDS } from '../entities/kinds.js';
import { type Moment } from '../moments.js';
import { decodeCursor, encodeCursor } from '../paging.js';
import { getProject, type ProjectAddress } from '../projects.js';
import { entityKeys, heldEntity, heldProject, type HeldState } from './log-source.js';
import { type EventLog, inBatches, replay, type Replayed } from './replay.js';

/** Where the read model and the log do not agree. A revision is null where there is no state. */
type Discrepancy = Readonly<{
  /** Null for the project itself, and for a segment. */
  flag: string | null;
  /** Only for a segment. */
  segment?: string;
  readModelRevision: number | null;
  logRevision: number | null;
  /** From what the read model has to what the log says. */
  changes: readonly Change[];
}>;

const heldInLog = <State>(replayed: Replayed<State>): HeldState<State> | undefined => {
  if (replayed.found !== 'state') return undefined;
  const { state, last } = replayed;
  return { state, revision: last.revision, position: last.position };
};

const revisionOf = (held: HeldState<unknown> | undefined): number | null => held?.revision ?? null;

const placeOf = (held: HeldState<unknown> | undefined): string =>
  held === undefined ? 'nowhere' : `${held.revision} at ${held.position}`;

/** At most one: where the read model does not hold what the log says. */
const discrepancies = <State>(
  entity: Pick<Discrepancy, 'flag' | 'segment'>,
  held: HeldState<State> | undefined,
  replayed: Replayed<State>,
  changesOf: (before: State | undefined, after: State | undefined) => readonly Change[],
): readonly Discrepancy[] => {
  const logged = heldInLog(replayed);
  const changes = changesOf(held?.state, logged?.state);
  if (changes.length === 0 && placeOf(held) === placeOf(logged)) return [];
  return [
    { ...entity, readModelRevision: revisionOf(held), logRevision: revisionOf(logged), changes },
  ];
};

export type Verification = Readonly<{
  /** The log position at which both were compared. */
  position: Position;
  flagsChecked: number;
  segmentsChecked: number;
  agree: boolean;
  /** The first few. */
  differences: readonly Discrepancy[];
  /** Every row of the project's stream and of those of the flags and segments looked at. */
  compared: RowsCompared;
  /** Null when every flag and segment has been looked at. */
  nextCursor: string | null;
}>;

type VerifyProject = ProjectAddress & Readonly<{ limit?: number; cursor?: string }>;

type Entity = Readonly<{ kind: Kind; key: string }>;

/** Compares every row that the read model has of these streams with the log. */
export type CompareStreams = (streams: readonly string[]) => Promise<RowsCompared>;

const DEFAULT_ENTITIES = 200;
const MAX_REPORTED = 20;

/** Flags by key, then segments by key, after `after`. */
const entitiesIn = async (
  db: Database,
  address: ProjectAddress,
  after: Entity,
  limit: number,
): Promise<readonly Entity[]> => {
  const flags =
    after.kind === 'flag' ? await entityKeys(db, 'flag')(address, { after: after.key, limit }) : [];
  const rest = { after: after.kind === 'flag' ? '' : after.key, limit: limit - flags.length };
  const segments = rest.limit > 0 ? await entityKeys(db, 'segment')(address, rest) : [];
  return [
    ...flags.map((key) => ({ kind: 'flag', key }) as const),
    ...segments.map((key) => ({ kind: 'segment', key }) as const),
  ];
};

const verifyEntity =
  (log: EventLog, db: Database) =>
  async <K extends Kind>(
    kind: K,
    [projectId, key]: readonly [projectId: string, key: string],
    position: Position,
  ): Promise<readonly Discrepancy[]> =>
    discrepancies<ExistingOf<K>>(
      kind === 'flag' ? { flag: key } : { flag: null, segment: key },
      await heldEntity(db)(kind, [projectId, key], position),
      await replay(log, kind, KINDS[kind].streamOf(projectId, key), position),
      KINDS[kind].changesBetween,
    );

const verifyItself =
  (log: EventLog, db: Database) =>
  async (projectId: string, position: Position): Promise<readonly Discrepancy[]> =>
    discrepancies<ExistingProject>(
      { flag: null },
      await heldProject(db)(projectId, position),
      await replay(log, 'project', projectStream(projectId), position),
      projectChangesBetween,
    );

type Scope = Parameters<typeof decodeCursor>[0];

const afterIn = (scope: Scope, cursor: string | undefined): Entity => {
  const [kind = 'flag', key = ''] =
    cursor === undefined ? [] : decodeCursor(scope, cursor, ['string', 'string']);
  return { kind: kind === 'segment' ? 'segment' : 'flag', key: String(key) };
};

const countOf = (entities: readonly Entity[], kind: Entity['kind']): number =>
  entities.filter((entity) => entity.kind === kind).length;

/**
 * Compares the states of a project and of a page of its flags and segments with the log, replayed.
 * @throws DomainError project-not-found, project-not-yet-created, invalid-cursor
 */
export const verifyProject =
  (log: EventLog, db: Database, compareStreams: CompareStreams) =>
  async (request: VerifyProject, { position }: Moment): Promise<Verification> => {
    const { organizationId, project, limit = DEFAULT_ENTITIES, cursor } = request;
    const scope = { list: 'verify', organizationId, project };
    await getProject(db)(request, { position });

    const projectId = projectIdOf(organizationId, project);
    const entities = await entitiesIn(db, request, afterIn(scope, cursor), limit + 1);
    const page = entities.slice(0, limit);
    const found = await inBatches(page, (entity) =>
      verifyEntity(log, db)(entity.kind, [projectId, entity.key], position),
    );
    const compared = await compareStreams([
      projectStream(projectId),
      ...page.map(({ kind, key }) => KINDS[kind].streamOf(projectId, key)),
    ]);
    const differences = [...(await verifyItself(log, db)(projectId, position)), ...found.flat()];
    const last = page.at(-1);
    const isMore = entities.length > limit && last !== undefined;
    return {
      position,
      flagsChecked: countOf(page, 'flag'),
      segmentsChecked: countOf(page, 'segment'),
      agree: differences.length === 0 && agrees(compared),
      differences: differences.slice(0, MAX_REPORTED),
      compared,
      nextCursor: isMore ? encodeCursor(scope, [last.kind, last.key]) : null,
    };
  };
