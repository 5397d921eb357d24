import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, type TObject, Type } from '@sinclair/typebox';
import { flagStream, projectIdOf } from '../../domain/streams.js';
import { type FlagView } from '../../queries/entities/kinds.js';
import { type FlagListItem } from '../../queries/entities/list-flags.js';
import { type Page } from '../../queries/paging.js';
import { type Queries } from '../../queries/queries.js';
import {
  addressIn,
  FlagParams,
  moment,
  order,
  ownMoment,
  paging,
  ProjectParams,
  queryRouter,
  readingOf,
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
    const query = queryRouter(app, queries, { tag: 'flags', permission: 'project.read' });

    query('/projects/:project/flags', 'List flags, now or at a moment', {
      params: ProjectParams,
      query: { ...listing, ...moment },
      answer: answering<Page<FlagListItem> & { position: Position }>(pageOf(FlagItem)),
      run: async (request, reply) => {
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
    });

    query('/projects/:project/flags/:flag', 'A flag, now or at a moment; also when it is deleted', {
      params: FlagParams,
      query: { ...ownMoment, ...source },
      answer: answering<FlagAnswer & { position: Position }>(
        Type.Object({ ...FlagSchema, position: Position }),
      ),
      run: async (request, reply) => {
        const address = addressIn(request);
        const projectId = projectIdOf(address.organizationId, address.project);
        const stream = flagStream(projectId, address.flag);
        const { source, then } = await readingOf(queries, request.query, stream);
        const flag = await source.flag(address, then);
        void reply.header('etag', `"${flag.revision}"`);
        return standing(reply, then.position, flagAnswer(address.project, toldTo(request, flag)));
      },
    });
  };
