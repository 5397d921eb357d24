import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, type TObject, Type } from '@sinclair/typebox';
import { flagStream, projectIdOf } from '../../domain/streams.js';
import { type FlagView } from '../../queries/entities/entity-at.js';
import { type FlagListItem } from '../../queries/entities/list-flags.js';
import { type Page } from '../../queries/paging.js';
import { type Queries } from '../../queries/queries.js';
import {
  addressIn,
  awaitPosition,
  FlagParams,
  moment,
  order,
  ownMoment,
  paging,
  ProjectParams,
  query,
  querySchema,
  Search,
  source,
  standing,
  type Told,
  type ToldChange,
  toldTo,
} from '../http/query-route.js';
import { Key, objectOrNull, Position, Revision, Timestamp } from '../http/schemas.js';
import {
  answering,
  flagContent,
  flagIdentity,
  FlagStatus,
  LastChange,
  nullable,
  pageOf,
  provenance,
} from '../http/view-schemas.js';
import { FlagTypeName } from './schemas.js';

const Deletion = Type.Object({
  at: Timestamp,
  by: Type.Optional(provenance.actor),
  reason: Type.Optional(provenance.reason),
  howToRestore: Type.String(),
});

/** Properties of a flag's answer. */
const FlagSchema = {
  project: Type.String(),
  ...flagContent,
  statusBefore: nullable(FlagStatus),
  revision: Revision,
  createdAt: Timestamp,
  updatedAt: Timestamp,
  lastChange: LastChange,
  heldUntil: objectOrNull(
    Type.Object(
      { position: Position, recordedAt: Timestamp },
      { description: 'When the next change came; null while none has.' },
    ),
  ),
  deletion: objectOrNull(Deletion),
};

/** A flag with the project it is of and, when it is deleted, how to get it back. */
type FlagAnswer = Told<FlagView> &
  Readonly<{
    project: string;
    deletion:
      | (Readonly<{ at: string; by?: ToldChange['actor']; howToRestore: string }> &
          Pick<ToldChange, 'reason'>)
      | null;
  }>;

const deletionOf = (
  project: string,
  { status, key, lastChange: { recordedAt, actor, reason } }: Told<FlagView>,
): FlagAnswer['deletion'] =>
  status === 'deleted'
    ? {
        at: recordedAt,
        ...(actor !== undefined && { by: actor }),
        ...(reason !== undefined && { reason }),
        howToRestore: `POST /api/v1/projects/${project}/flags/${key}/restore`,
      }
    : null;

const flagAnswer = (project: string, flag: Told<FlagView>): FlagAnswer => ({
  project,
  ...flag,
  deletion: deletionOf(project, flag),
});

const FlagItem = Type.Object({
  ...flagIdentity,
  description: Type.String(),
  tags: Type.Array(Type.String()),
  revision: Revision,
  createdAt: Timestamp,
  updatedAt: Timestamp,
  enabled: Type.Record(Type.String(), Type.Boolean(), { description: 'Per environment.' }),
});

const filter = {
  tag: Type.Optional(Type.Array(Type.String({ maxLength: 60 }), { maxItems: 50 })),
  q: Type.Optional(Search),
  status: Type.Optional(
    Type.Union(
      [
        Type.Literal('active'),
        Type.Literal('archived'),
        Type.Literal('deleted'),
        Type.Literal('undeleted'),
        Type.Literal('all'),
      ],
      { description: 'undeleted, the default, is active and archived.' },
    ),
  ),
  enabledIn: Type.Optional(Key),
  type: Type.Optional(FlagTypeName),
  sort: Type.Optional(
    Type.Union([
      Type.Literal('key'),
      Type.Literal('name'),
      Type.Literal('createdAt'),
      Type.Literal('updatedAt'),
    ]),
  ),
};

const listing = { ...filter, ...order, ...paging };

const questionOf = ({ tag: tags, q: text, ...rest }: Static<TObject<typeof listing>>) => ({
  ...rest,
  ...(tags && { tags }),
  ...(text !== undefined && { text }),
});

/** Flags of a project and one flag, now and at any past moment. */
export const flagQueryRoutes =
  (queries: Queries): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.addHook('preHandler', awaitPosition(queries));

    app.get(
      '/projects/:project/flags',
      {
        config: { permission: 'project.read' },
        schema: {
          ...querySchema(
            'flags',
            'List flags, now or at a moment',
            answering<Page<FlagListItem> & { position: Position }>(pageOf(FlagItem)),
          ),
          params: ProjectParams,
          querystring: query({ ...listing, ...moment }),
        },
      },
      async (request, reply) => {
        const { at, position, ...filter } = request.query;
        const asked = {
          ...(at !== undefined && { at }),
          ...(position !== undefined && { position }),
        };
        const then = await queries.resolveMoment(asked);
        const isPast = at !== undefined || position !== undefined;
        const question = { ...addressIn(request), ...questionOf(filter), moment: then, isPast };
        const page = await queries.listFlags(question);
        return standing(reply, then.position, page);
      },
    );

    app.get(
      '/projects/:project/flags/:flag',
      {
        config: { permission: 'project.read' },
        schema: {
          ...querySchema(
            'flags',
            'A flag, now or at a moment; also when it is deleted',
            answering<FlagAnswer & { position: Position }>(
              Type.Object({ ...FlagSchema, position: Position }),
            ),
          ),
          params: FlagParams,
          querystring: query({ ...ownMoment, ...source }),
        },
      },
      async (request, reply) => {
        const address = addressIn(request);
        const { source: from = 'read-model', ...asked } = request.query;
        const projectId = projectIdOf(address.organizationId, address.project);
        const then = await queries.resolveMoment(asked, flagStream(projectId, address.flag));
        const flag = await queries.sources[from].flag(address, then);
        void reply.header('etag', `"${flag.revision}"`);
        return standing(reply, then.position, flagAnswer(address.project, toldTo(request, flag)));
      },
    );
  };
