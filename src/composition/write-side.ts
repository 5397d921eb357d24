import { aggregates } from '../commands/streams/aggregates.js';
import { type EventStore } from '../commands/streams/event-store.js';
import { type FlagCommand, flagDecider } from '../commands/flag/decider.js';
import { commandHandler } from '../commands/streams/handle-command.js';
import { type NamedProjects } from '../commands/organization/guards.js';
import {
  type ApiKeyCommand,
  apiKeyDecider,
  type OrganizationCommand,
  organizationDecider,
} from '../commands/organization/organization.js';
import { requireProject } from '../commands/project/guards.js';
import { projectDecider } from '../commands/project/project.js';
import { referencesOver } from '../commands/references/references-over.js';
import { refusalsDecider } from '../commands/refusals.js';
import { type SegmentCommand, segmentDecider } from '../commands/segment/decider.js';
import { sessionDecider } from '../commands/session.js';
import {
  type Moment,
  type SegmentSnapshot,
  segmentSnapshotAt,
  type Snapshot,
  snapshotAt,
} from '../commands/snapshot.js';
import { NO_SNAPSHOTS, type Snapshots } from '../commands/streams/snapshots.js';
import { DomainError } from '../domain/decider.js';
import { type FlagEvent } from '../domain/flag/events.js';
import { type Histories } from '../domain/flagd/here.js';
import { type Position } from '../domain/position.js';
import { type ExistingProject, type Project } from '../domain/project.js';
import { type SegmentEvent } from '../domain/segment.js';
import {
  apiKeyStream,
  flagStream,
  organizationStream,
  projectIdOf,
  projectStream,
  refusalsStream,
  segmentStream,
  sessionStream,
} from '../domain/streams.js';
import { compileRegex } from '../infrastructure/re2-regex-compiler.js';
import { parseTime } from '../queries/time.js';
import { pause } from '../infrastructure/waiting.js';

/** Streams from their beginning, as the log has them; empty for what never was. */
const historiesOf = (store: EventStore): Histories => ({
  flagHistory: async (projectId, flagKey) =>
    (await store.read<FlagEvent>(flagStream(projectId, flagKey))).events,
  segmentHistory: async (projectId, segmentKey) =>
    (await store.read<SegmentEvent>(segmentStream(projectId, segmentKey))).events,
});

/** How old the view of a project may be when a flag of it is changed; another process may have written since. */
const PROJECT_MAX_AGE_MS = 100;

const none = async (): Promise<undefined> => undefined;

const inFuture = (moment: string): DomainError =>
  new DomainError('moment-in-future', `${moment} has not come yet.`);

/** @throws DomainError `malformed-time`, `moment-in-future` */
const requirePast = async (
  { at, position }: Moment,
  head: () => Promise<Position>,
): Promise<void> => {
  if (at !== undefined && parseTime(at).floorMs > Date.now()) throw inFuture(at);
  if (position !== undefined && position > (await head())) throw inFuture(`Position ${position}`);
};

const timeMs = (time: string): number => parseTime(time).floorMs;

/** Handlers of all commands, on one event store. `head`: the position of the last event in its log. */
export const writeSide = (
  store: EventStore,
  head: () => Promise<Position>,
  snapshots: Snapshots = NO_SNAPSHOTS,
) => {
  const clock = (): number => performance.now();
  const projectStreams = aggregates(store, projectDecider, clock, snapshots);
  const decideFlags = flagDecider({ compileRegex });
  const decideSegments = segmentDecider({ compileRegex });

  const loadProject = async (projectId: string, maxAgeMs: number): Promise<Project> =>
    (await projectStreams.load(projectStream(projectId), maxAgeMs)).state;

  const organizationStreams = aggregates(store, organizationDecider, clock);
  const flagStreams = aggregates(store, decideFlags, clock, snapshots);
  const segmentStreams = aggregates(store, decideSegments, clock, snapshots);
  const references = referencesOver(store, { flagStreams, segmentStreams });
  const projectOf = ({ data }: FlagCommand | SegmentCommand, fresh: boolean): Promise<Project> =>
    loadProject(data.projectId, fresh ? 0 : PROJECT_MAX_AGE_MS);

  const namedProjects = async (
    { data }: OrganizationCommand | ApiKeyCommand,
    fresh: boolean,
  ): Promise<NamedProjects> => {
    const keys = 'projects' in data ? Object.keys(data.projects ?? {}) : [];
    const load = async (key: string): Promise<[string, Project]> => {
      const projectId = projectIdOf(data.organizationId, key);
      return [key, await loadProject(projectId, fresh ? 0 : PROJECT_MAX_AGE_MS)];
    };
    return new Map(await Promise.all(keys.map(load)));
  };

  const histories = historiesOf(store);

  return {
    organizations: commandHandler({
      store,
      clock,
      pause,
      decider: organizationDecider,
      streams: organizationStreams,
      streamOf: ({ data }: OrganizationCommand) => organizationStream(data.organizationId),
      referencesOf: namedProjects,
    }),
    apiKeys: commandHandler({
      store,
      clock,
      pause,
      decider: apiKeyDecider,
      streams: aggregates(store, apiKeyDecider, clock),
      streamOf: ({ data }: ApiKeyCommand) => apiKeyStream(data.organizationId, data.keyId),
      referencesOf: async (command: ApiKeyCommand, fresh) => {
        const { projectId } = command.data;
        const isOfProject = command.type !== 'RevokeApiKey' && projectId !== undefined;
        const maxAge = fresh ? 0 : PROJECT_MAX_AGE_MS;
        return {
          project: isOfProject ? await loadProject(projectId, maxAge) : undefined,
          named: await namedProjects(command, fresh),
        };
      },
    }),
    projects: commandHandler({
      store,
      clock,
      pause,
      decider: projectDecider,
      streams: projectStreams,
      streamOf: ({ data }) => projectStream(data.projectId),
      referencesOf: none,
    }),
    flags: commandHandler({
      store,
      clock,
      pause,
      decider: decideFlags,
      streams: flagStreams,
      streamOf: ({ data }: FlagCommand) => flagStream(data.projectId, data.flagKey),
      begins: ({ type }) => type === 'CreateFlag',
      referencesOf: projectOf,
      reserve: references.ofFlag,
    }),
    segments: commandHandler({
      store,
      clock,
      pause,
      decider: decideSegments,
      streams: segmentStreams,
      streamOf: ({ data }: SegmentCommand) => segmentStream(data.projectId, data.segmentKey),
      begins: ({ type }) => type === 'CreateSegment',
      referencesOf: projectOf,
      reserve: references.ofSegment,
    }),

    /** Drops from memory what was read of streams that name people, or from which events can be taken out. */
    forget: (): void => {
      for (const { forgetAll } of [
        projectStreams,
        organizationStreams,
        flagStreams,
        segmentStreams,
      ])
        forgetAll();
    },
    sessions: commandHandler({
      store,
      clock,
      pause,
      decider: sessionDecider,
      streams: aggregates(store, sessionDecider, clock, snapshots),
      streamOf: ({ data }) => sessionStream(data.organizationId, data.userId),
      referencesOf: none,
    }),

    refusals: commandHandler({
      store,
      clock,
      pause,
      decider: refusalsDecider,
      streams: aggregates(store, refusalsDecider, clock, snapshots),
      streamOf: ({ data }) => refusalsStream(data.organizationId, data.actorId),
      referencesOf: none,
    }),

    /** A flag as it was at a moment. @throws DomainError */
    snapshotOf: async (projectId: string, flagKey: string, moment: Moment): Promise<Snapshot> => {
      await requirePast(moment, head);
      const events = await histories.flagHistory(projectId, flagKey);
      if (events.length === 0) requireProject(await loadProject(projectId, 0));
      return snapshotAt(events, moment, timeMs);
    },

    ...histories,

    /** A segment as it was at a moment. @throws DomainError */
    segmentSnapshotOf: async (
      projectId: string,
      segmentKey: string,
      moment: Moment,
    ): Promise<SegmentSnapshot> => {
      await requirePast(moment, head);
      const events = await histories.segmentHistory(projectId, segmentKey);
      if (events.length === 0) requireProject(await loadProject(projectId, 0));
      return segmentSnapshotAt(events, moment, timeMs);
    },

    /** @throws DomainError `project-not-found`, `project-deleted` */
    activeProject: async (projectId: string): Promise<ExistingProject> =>
      requireProject(await loadProject(projectId, 0)),
  };
};

export type WriteSide = ReturnType<typeof writeSide>;
