import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { exportedFrom } from '../../commands/flagd/flagd-file.js';
import { type Histories } from '../../commands/flagd/here.js';
import { importFile } from '../../commands/flagd/import-file.js';
import { summarise } from '../../commands/flag/batch.js';
import { requireEnvironment } from '../../commands/project/guards.js';
import { type JsonObject } from '../../domain/json.js';
import { type ExistingProject } from '../../domain/project/project.js';
import {
  batchUnderItsKey,
  CommandQuery,
  metadataOf,
  nameCommand,
  projectIn,
  RepeatableHeaders,
} from '../command-route.js';
import { closed, Key, problems } from '../schemas.js';
import { BATCH_TIMEOUT_MS, batchReport, batchResult, OnConflictQuery } from './flag-batch.js';
import { type FlagCommandDeps } from './flag-commands.js';
import { type SegmentCommandDeps } from './targeting/segment-commands.js';

export type ImportDeps = FlagCommandDeps &
  Pick<SegmentCommandDeps, 'segments'> &
  Histories &
  Readonly<{
    /** From the log. @throws DomainError `project-not-found`, `project-deleted` */
    activeProject: (projectId: string) => Promise<ExistingProject>;
  }>;

const BODY_LIMIT = 8 * 1024 * 1024;

const SegmentResult = Type.Object({
  segment: Key,
  evaluator: Type.String({ description: 'Its name in the file.' }),
  ...batchResult,
});

const Report = Type.Object({
  ...batchReport,
  segments: Type.Array(SegmentResult, {
    description: 'Shared conditions of the file; one that is refused is put into the rules.',
  }),
  environments: Type.Array(Key),
  metadata: Type.Optional(
    Type.Unsafe<JsonObject>(
      Type.Object(
        {},
        { additionalProperties: true, description: "The file's own, of which nothing is kept." },
      ),
    ),
  ),
});

const ImportQuery = Type.Composite(
  [
    CommandQuery,
    Type.Object({
      environment: Type.Optional(
        Type.Array(Key, {
          description: 'Only in these environments; default: in all, but an export in its own.',
        }),
      ),
      onConflict: OnConflictQuery,
      targeting: Type.Optional(
        Type.Union([Type.Literal('rules'), Type.Literal('exact')], {
          default: 'rules',
          description: 'Targeting becomes rules where it can, or stays an expression.',
        }),
      ),
    }),
  ],
  closed,
);

/** Environments that are imported into, and one that is not. */
const targets = (
  named: readonly string[] | undefined,
  file: JsonObject,
  project: ExistingProject,
): Readonly<{ environments: string[]; otherEnvironment: string | undefined }> => {
  const all = activeKeys(project);
  const own = exportedFrom(file, project);
  const environments = [...(named ?? (own === undefined ? all : [own]))];
  return { environments, otherEnvironment: all.find((key) => !environments.includes(key)) };
};

const activeKeys = ({ environments }: ExistingProject): string[] =>
  environments.filter(({ status }) => status === 'active').map(({ key }) => key);

/** Import of flagd's flag definition files. */
export const importRoutes =
  ({ activeProject, ...ports }: ImportDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const run = importFile(ports);
    app.addHook('preValidation', nameCommand);

    app.post(
      '/projects/:project/import',
      {
        bodyLimit: BODY_LIMIT,
        config: { permission: 'flags.write', quota: { bytes: 'file' } },
        schema: {
          tags: ['import'],
          summary:
            'Import a flagd file; what flagd itself would not accept is refused, flag by flag',
          params: Type.Object({ project: Key }),
          querystring: ImportQuery,
          headers: RepeatableHeaders,
          body: Type.Unsafe<JsonObject>(Type.Object({}, { additionalProperties: true })),
          response: { 200: Report, ...problems },
        },
      },
      async (request, reply) => {
        const { dryRun = false, environment, targeting = 'rules' } = request.query;
        const { onConflict = 'fail' } = request.query;
        const projectId = projectIn(request);
        const project = await activeProject(projectId);
        const into = targets(environment, request.body, project);
        for (const key of into.environments) requireEnvironment(project, key);
        const importNow = async () => {
          const report = await run({
            projectId,
            ...into,
            file: request.body,
            targeting,
            onConflict,
            metadata: metadataOf(request),
            grants: request.caller.grants,
            dryRun,
            signal: AbortSignal.timeout(BATCH_TIMEOUT_MS),
          });
          return {
            dryRun,
            ...report,
            environments: into.environments,
            summary: summarise(report.flags),
            segments: [...report.segments],
            flags: [...report.flags],
          };
        };
        return batchUnderItsKey(request, reply, { namesPeople: true, run: importNow });
      },
    );
  };
