import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import {
  type ProjectStates,
  type RevertedFlag,
  type RevertedSegment,
  revertEnvironment,
} from '../../commands/environments/revert.js';
import { requireEnvironment } from '../../commands/project/guards.js';
import { closedTo, environmentProtected } from '../../commands/references/protected-changes.js';
import { changesBetween } from '../../domain/changes.js';
import { segmentChangesBetween } from '../../domain/changes/segment-changes.js';
import { changesServed, type Flag } from '../../domain/flag/flag.js';
import { type Position } from '../../domain/position.js';
import { type ExistingProject } from '../../domain/project.js';
import { type Segment } from '../../domain/segment.js';
import { requireMoment } from '../flags/commands.js';
import {
  BATCH_TIMEOUT_MS,
  batchReport,
  batchResult,
  batchUnderItsKey,
  CommandQuery,
  metadataOf,
  nameCommand,
  projectIn,
  RepeatableHeaders,
} from '../http/command-route.js';
import { router } from '../http/route.js';
import { Change, closed, ExactPosition, Key, Timestamp } from '../http/schemas.js';

type Place = Readonly<{ organizationId: string; project: string; environment: string }>;

export type RevertEnvironmentDeps = Parameters<typeof revertEnvironment>[0] &
  Readonly<{
    activeProject: (projectId: string) => Promise<ExistingProject>;
    /**
     * Every flag and segment of a project at a moment at which the environment was there, and now.
     * @throws DomainError malformed-time, moment-in-future, environment-not-found
     */
    environmentStates: (
      place: Place,
      moment: Readonly<{ at?: string; position?: Position }>,
    ) => Promise<Readonly<{ then: ProjectStates; now: ProjectStates }>>;
  }>;

/** Revisions count the changes of one flag, so an environment goes back to a time or a position. */
const MomentOfAll = Type.Object(
  {
    at: Type.Optional(Timestamp),
    position: Type.Optional(ExactPosition),
    shared: Type.Optional(
      Type.Union([Type.Literal('restore'), Type.Literal('keep')], {
        description:
          'Variants, metadata and segments, which all environments share: taken back too (restore, the default), or left as they are.',
      }),
    ),
  },
  { ...closed, minProperties: 1, maxProperties: 2 },
);

const effects = {
  changes: Type.Array(Change, { description: 'What it changes, or would change.' }),
};

const Report = Type.Object({
  ...batchReport,
  flags: Type.Array(
    Type.Object({
      flag: Type.String(),
      ...batchResult,
      ...effects,
      alsoChanges: Type.Array(Type.String(), {
        description: 'Other environments that are affected.',
      }),
    }),
  ),
  segments: Type.Array(Type.Object({ segment: Type.String(), ...batchResult, ...effects })),
});

const existing = <State extends { status: string }>(state: State | undefined) =>
  state === undefined || state.status === 'absent'
    ? undefined
    : (state as Exclude<State, { status: 'absent' }>);

const absent: Flag = { status: 'absent' };

const flagReport = (
  { before, after, ...report }: RevertedFlag,
  environments: readonly string[],
) => ({
  ...report,
  changes: [...changesBetween(existing<Flag>(before), existing<Flag>(after))],
  alsoChanges: environments.filter((other) =>
    changesServed(before ?? absent, after ?? absent, other),
  ),
});

const segmentReport = ({ before, after, ...report }: RevertedSegment) => ({
  ...report,
  changes: [...segmentChangesBetween(existing<Segment>(before), existing<Segment>(after))],
});

const summarise = (reports: readonly Readonly<{ result: keyof typeof NONE }>[]) => {
  const summary = { ...NONE };
  for (const { result } of reports) summary[result] += 1;
  return summary;
};
const NONE = { created: 0, changed: 0, unchanged: 0, skipped: 0, refused: 0 };

/** Takes a whole environment back to a moment, flag by flag. */
export const revertEnvironmentRoutes =
  ({
    flags,
    segments,
    activeProject,
    environmentStates,
  }: RevertEnvironmentDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const run = revertEnvironment({ flags, segments });
    const route = router(app, { tag: 'environments', permission: 'flags.write' });

    const about = 'Make an environment behave as it did at a moment';
    route('POST', '/projects/:project/environments/:environment/revert', about, {
      quota: { bytes: 'batch' },
      isHeavy: true,
      params: Type.Object({ project: Key, environment: Key }),
      query: CommandQuery.properties,
      headers: RepeatableHeaders,
      preValidation: nameCommand,
      body: MomentOfAll,
      answer: Report,
      run: async (request, reply) => {
        const { dryRun = false } = request.query;
        const { environment } = request.params;
        const { shared = 'restore', ...moment } = request.body;
        const projectId = projectIn(request);
        const { organizationId, grants } = request.caller;
        const found = await activeProject(projectId);
        requireEnvironment(found, environment);
        if (closedTo(grants, found).includes(environment)) throw environmentProtected(environment);
        const place = { organizationId, ...request.params };
        const revert = async () => {
          const states = await environmentStates(place, requireMoment(moment));
          const reverted = await run({
            ...{ projectId, environment, shared, ...states, grants, dryRun },
            metadata: metadataOf(request),
            signal: AbortSignal.timeout(BATCH_TIMEOUT_MS),
          });
          const others = found.environments
            .map(({ key }) => key)
            .filter((key) => key !== environment);
          return {
            dryRun,
            summary: summarise(reverted.flags),
            flags: reverted.flags.map((report) => flagReport(report, others)),
            segments: reverted.segments.map(segmentReport),
          };
        };
        return batchUnderItsKey(request, reply, { namesPeople: true, run: revert });
      },
    });
  };
