import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { summarise } from '../../commands/environments/many-flags.js';
import { promoteEnvironment } from '../../commands/environments/promote.js';
import { requireEnvironment } from '../../commands/project/guards.js';
import {
  BATCH_TIMEOUT_MS,
  batchReport,
  batchUnderItsKey,
  CommandQuery,
  metadataOf,
  nameCommand,
  OnConflictQuery,
  projectIn,
  RepeatableHeaders,
} from '../http/command-route.js';
import { closed, Key, problems } from '../http/schemas.js';
import { type ImportDeps } from './flagd.js';

export type PromoteEnvironmentDeps = ImportDeps &
  Readonly<{
    /** Keys of the flags of a project that are not deleted. */
    liveFlagKeys: (
      address: Readonly<{ organizationId: string; project: string }>,
    ) => Promise<readonly string[]>;
  }>;

const MAX_FLAGS = 10_000;

const PromoteBody = Type.Object(
  {
    to: Key,
    flags: Type.Optional(
      Type.Array(Key, {
        minItems: 1,
        maxItems: MAX_FLAGS,
        uniqueItems: true,
        description: 'Only these; default: all that are not deleted.',
      }),
    ),
  },
  closed,
);

/** Brings several flags, or all, from one environment to another. */
export const promoteEnvironmentRoutes =
  ({
    flags,
    flagHistory,
    activeProject,
    liveFlagKeys,
  }: PromoteEnvironmentDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const run = promoteEnvironment({ handle: flags, flagHistory });
    app.addHook('preValidation', nameCommand);

    app.post(
      '/projects/:project/environments/:environment/promote',
      {
        config: { permission: 'flags.write', quota: { bytes: 'batch' } },
        schema: {
          tags: ['environments'],
          summary: 'Make flags behave in another environment as they do in this one',
          params: Type.Object({ project: Key, environment: Key }),
          querystring: Type.Composite(
            [CommandQuery, Type.Object({ onConflict: OnConflictQuery })],
            closed,
          ),
          headers: RepeatableHeaders,
          body: PromoteBody,
          response: { 200: Type.Object(batchReport), ...problems },
        },
      },
      async (request, reply) => {
        const { dryRun = false, onConflict = 'fail' } = request.query;
        const { project, environment: from } = request.params;
        const { to, flags: named } = request.body;
        const { organizationId, grants } = request.caller;
        const projectId = projectIn(request);
        const found = await activeProject(projectId);
        for (const key of [from, to]) requireEnvironment(found, key);
        const promote = async () => {
          const report = await run({
            projectId,
            from,
            to,
            flags: named ?? (await liveFlagKeys({ organizationId, project })),
            onConflict,
            metadata: metadataOf(request),
            grants,
            dryRun,
            signal: AbortSignal.timeout(BATCH_TIMEOUT_MS),
          });
          return { dryRun, summary: summarise(report), flags: [...report] };
        };
        return batchUnderItsKey(request, reply, { namesPeople: true, run: promote });
      },
    );
  };
