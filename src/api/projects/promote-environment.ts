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
import { router } from '../http/route.js';
import { closed, Key } from '../http/schemas.js';
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
    const route = router(app, { tag: 'environments', permission: 'flags.write' });

    const about = 'Make flags behave in another environment as they do in this one';
    route('POST', '/projects/:project/environments/:environment/promote', about, {
      quota: { bytes: 'batch' },
      isHeavy: true,
      params: Type.Object({ project: Key, environment: Key }),
      query: { ...CommandQuery.properties, onConflict: OnConflictQuery },
      headers: RepeatableHeaders,
      preValidation: nameCommand,
      body: PromoteBody,
      answer: Type.Object(batchReport),
      run: async (request, reply) => {
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
    });
  };
