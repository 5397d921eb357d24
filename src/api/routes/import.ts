import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { importFlags, summarise } from '../../commands/flagd/import-flags.js';
import { type JsonObject } from '../../domain/json.js';
import { type ExistingProject } from '../../domain/project/project.js';
import {
  CommandQuery,
  metadataOf,
  nameCommand,
  projectIn,
  RepeatableHeaders,
} from '../command-route.js';
import { closed, Key, Position, problems } from '../schemas.js';
import { type FlagCommandDeps } from './flag-commands.js';

export type ImportDeps = FlagCommandDeps &
  Readonly<{
    /** From the log. @throws DomainError `project-not-found`, `project-deleted` */
    activeProject: (projectId: string) => Promise<ExistingProject>;
  }>;

/** An import may take longer than a command: it is many of them. */
const IMPORT_TIMEOUT_MS = 60_000;
const BODY_LIMIT = 8 * 1024 * 1024;

const Report = Type.Object({
  dryRun: Type.Boolean(),
  environments: Type.Array(Key),
  summary: Type.Object({
    created: Type.Integer(),
    changed: Type.Integer(),
    unchanged: Type.Integer(),
    refused: Type.Integer(),
  }),
  flags: Type.Array(
    Type.Object({
      flag: Type.String(),
      result: Type.String({ description: 'created, changed, unchanged or refused.' }),
      code: Type.Optional(Type.String({ description: 'Why it was refused.' })),
      detail: Type.Optional(Type.String({ description: 'Where in the file, and what.' })),
      revision: Type.Optional(Type.Integer({ minimum: -1 })),
      position: Type.Optional(Position),
      events: Type.Optional(Type.Array(Type.Object({ type: Type.String(), data: Type.Unknown() }))),
    }),
  ),
});

const ImportQuery = Type.Composite(
  [
    CommandQuery,
    Type.Object({
      environment: Type.Optional(
        Type.Array(Key, { description: 'Only in these environments; default: in all.' }),
      ),
    }),
  ],
  closed,
);

const activeKeys = ({ environments }: ExistingProject): string[] =>
  environments.filter(({ status }) => status === 'active').map(({ key }) => key);

/** Import of flagd's flag definition files. */
export const importRoutes =
  ({ flags, activeProject }: ImportDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const run = importFlags(flags);
    app.addHook('preValidation', nameCommand);

    app.post(
      '/projects/:project/import',
      {
        bodyLimit: BODY_LIMIT,
        schema: {
          tags: ['import'],
          summary: 'Import a flagd file; what cannot be expressed is refused, never dropped',
          params: Type.Object({ project: Key }),
          querystring: ImportQuery,
          headers: RepeatableHeaders,
          body: Type.Unsafe<JsonObject>(Type.Object({}, { additionalProperties: true })),
          response: { 200: Report, ...problems },
        },
      },
      async (request) => {
        const { dryRun = false, environment } = request.query;
        const projectId = projectIn(request);
        const project = await activeProject(projectId);
        const environments = environment ?? activeKeys(project);
        const report = await run({
          projectId,
          environments,
          file: request.body,
          metadata: metadataOf(request),
          dryRun,
          signal: AbortSignal.timeout(IMPORT_TIMEOUT_MS),
        });
        return { dryRun, environments, summary: summarise(report), flags: report };
      },
    );
  };
