import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { summarise } from '../../commands/environments/many-flags.js';
import { importFile } from '../../commands/import/import-file.js';
import { requireEnvironment } from '../../commands/project/guards.js';
import { type Histories } from '../../domain/flagd/here.js';
import { exportedFrom } from '../../domain/flagd/parse.js';
import { type JsonObject } from '../../domain/json.js';
import { type ExistingProject } from '../../domain/project.js';
import { flagdExport } from '../../queries/evaluation/flagd-export.js';
import { environmentLocator, type EvaluationDeps } from '../evaluation/locate-environment.js';
import { EnvironmentParams, MinPosition, MomentQuery } from '../evaluation/schemas.js';
import { type FlagCommandDeps } from '../flags/commands.js';
import {
  BATCH_TIMEOUT_MS,
  batchReport,
  batchResult,
  batchUnderItsKey,
  CommandQuery,
  metadataOf,
  nameCommand,
  OnConflictQuery,
  projectIn,
  RepeatableHeaders,
} from '../http/command-route.js';
import { sendText } from '../http/compression.js';
import { router } from '../http/route.js';
import { Key, problems } from '../http/schemas.js';
import { namesTag, notModified } from '../ofrep/etags.js';
import { type SegmentCommandDeps } from '../segments/commands.js';

const Document = Type.Object(
  {
    $schema: Type.String(),
    metadata: Type.Record(Type.String(), Type.String()),
    flags: Type.Record(Type.String(), Type.Unknown()),
  },
  { description: 'A flag definition file of flagd (flagd.dev/schema/v0/flags.json).' },
);

/** An environment as a file for flagd, and for its providers. */
export const flagdExportRoutes =
  (deps: EvaluationDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const locate = environmentLocator(deps);

    app.get(
      '/projects/:project/environments/:environment/flagd.json',
      {
        config: { access: 'evaluation', permission: 'project.evaluate' },
        schema: {
          tags: ['import'],
          summary: 'Export an environment as a flagd file, now or as it was at a moment',
          params: EnvironmentParams,
          querystring: MomentQuery,
          headers: MinPosition,
          response: {
            200: Document,
            304: Type.Null({ description: 'It is what If-None-Match names.' }),
            ...problems,
          },
        },
      },
      async (request, reply) => {
        const { project, environment: key } = request.params;
        const { environment, position } = await locate(request);
        const file = flagdExport(environment, `${project}/${key}`);
        const { text, tag, leftOut } = file;
        void reply
          .header('etag', `"${tag}"`)
          .header('x-position', position)
          .header('x-left-out', leftOut);
        if (namesTag(request.headers['if-none-match'], tag)) return notModified(reply);
        sendText(reply, text, file);
        return reply;
      },
    );
  };

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

const importQuery = {
  ...CommandQuery.properties,
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
};

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
    const route = router(app, { tag: 'import', permission: 'flags.write' });

    const about = 'Import a flagd file; flags that flagd would not accept are refused one by one';
    route('POST', '/projects/:project/import', about, {
      quota: { bytes: 'file' },
      isHeavy: true,
      params: Type.Object({ project: Key }),
      query: importQuery,
      headers: RepeatableHeaders,
      preValidation: nameCommand,
      body: Type.Unsafe<JsonObject>(Type.Object({}, { additionalProperties: true })),
      bodyLimit: BODY_LIMIT,
      answer: Report,
      run: async (request, reply) => {
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
    });
  };
