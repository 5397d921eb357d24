import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { summarise } from '../../commands/flag/batch.js';
import { revertEnvironment } from '../../commands/flag/revert-environment.js';
import { closedTo, environmentProtected } from '../../commands/protection/protected-changes.js';
import { requireEnvironment } from '../../commands/project/guards.js';
import {
  CommandQuery,
  metadataOf,
  nameCommand,
  projectIn,
  RepeatableHeaders,
} from '../command-route.js';
import { closed, Key, problems, Timestamp } from '../schemas.js';
import { BATCH_TIMEOUT_MS, batchReport } from './flag-batch.js';
import { type ImportDeps } from './import.js';
import { type TimeTravelCommandDeps } from './time-travel-commands.js';

export type RevertEnvironmentDeps = TimeTravelCommandDeps &
  ImportDeps &
  Readonly<{
    /** Keys of the flags of a project that are not deleted. */
    liveFlagKeys: (
      address: Readonly<{ organizationId: string; project: string }>,
    ) => Promise<readonly string[]>;
  }>;

/** Revisions count the changes of one flag, so an environment goes back to a time or a position. */
const MomentOfAll = Type.Object(
  { at: Type.Optional(Timestamp), position: Type.Optional(Type.Integer({ minimum: 0 })) },
  { ...closed, minProperties: 1, maxProperties: 1 },
);

/** Takes a whole environment back to a moment, flag by flag. */
export const revertEnvironmentRoutes =
  ({
    flags,
    snapshotOf,
    activeProject,
    liveFlagKeys,
  }: RevertEnvironmentDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const run = revertEnvironment({ handle: flags, snapshotOf });
    app.addHook('preValidation', nameCommand);

    app.post(
      '/projects/:project/environments/:environment/revert',
      {
        config: { permission: 'flags.write' },
        schema: {
          tags: ['environments'],
          summary: 'Make every flag behave in this environment as it did at a moment',
          params: Type.Object({ project: Key, environment: Key }),
          querystring: CommandQuery,
          headers: RepeatableHeaders,
          body: MomentOfAll,
          response: { 200: Type.Object(batchReport), ...problems },
        },
      },
      async (request) => {
        const { dryRun = false } = request.query;
        const { project, environment } = request.params;
        const projectId = projectIn(request);
        const { organizationId, grants } = request.caller;
        const found = await activeProject(projectId);
        requireEnvironment(found, environment);
        if (closedTo(grants, found).includes(environment)) throw environmentProtected(environment);
        const report = await run({
          projectId,
          environment,
          moment: request.body,
          flags: await liveFlagKeys({ organizationId, project }),
          metadata: metadataOf(request),
          grants,
          dryRun,
          signal: AbortSignal.timeout(BATCH_TIMEOUT_MS),
        });
        return { dryRun, summary: summarise(report), flags: [...report] };
      },
    );
  };
