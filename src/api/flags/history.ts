import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { later } from '../../domain/position.js';
import { flagStream, projectIdOf } from '../../domain/streams.js';
import { type NamedActor } from '../../queries/audit/actors.js';
import { type FlagDiff } from '../../queries/entities/entity-diff.js';
import { type FlagHistoryItem } from '../../queries/entities/entity-history.js';
import { parseMoment } from '../../queries/moments.js';
import { type Page } from '../../queries/paging.js';
import { type Queries } from '../../queries/queries.js';
import {
  actorScope,
  ActorText,
  addressIn,
  awaitPosition,
  DiffEndText,
  filterIn,
  FlagParams,
  Id,
  order,
  paging,
  query,
  querySchema,
  standing,
  Time,
  type ToldDiff,
  toldDiff,
} from '../http/query-route.js';
import { Key, objectOrNull, Position, Revision } from '../http/schemas.js';
import {
  answering,
  Changes,
  Data,
  FlagStatus,
  LastChange,
  named,
  nullable,
  pageOf,
} from '../http/view-schemas.js';

const HistoryItem = Type.Object({
  ...named,
  environment: nullable(Type.String()),
  data: Data,
  changes: Changes,
});

const DiffEnd = Type.Object({
  position: Position,
  revision: nullable(Revision),
  status: nullable(FlagStatus),
  lastChange: objectOrNull(LastChange),
});

const Diff = Type.Object({ from: DiffEnd, to: DiffEnd, changes: Changes, position: Position });

/** What happened to a flag, event by event, and between any two moments. */
export const flagHistoryRoutes =
  (queries: Queries): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.addHook('preHandler', awaitPosition(queries));

    app.get(
      '/projects/:project/flags/:flag/history',
      {
        config: { permission: 'audit.read' },
        schema: {
          ...querySchema(
            'flags',
            'Every event of a flag: who, when, from where, why, and what changed',
            answering<Page<FlagHistoryItem & { actor: NamedActor }> & { position: Position }>(
              pageOf(HistoryItem),
            ),
          ),
          params: FlagParams,
          querystring: query({
            environment: Type.Optional(Key),
            type: Type.Optional(Type.Array(Id, { maxItems: 50 })),
            actor: Type.Optional(ActorText),
            from: Type.Optional(Time),
            to: Type.Optional(Time),
            ...order,
            ...paging,
          }),
        },
      },
      async (request, reply) => {
        const { position } = await queries.resolveMoment({});
        const filter = await filterIn(queries, request, request.query);
        const page = await queries.flagHistory({ ...addressIn(request), ...filter });
        const items = await queries.nameActors(page.items, actorScope(request));
        return standing(reply, position, { ...page, items });
      },
    );

    app.get(
      '/projects/:project/flags/:flag/diff',
      {
        config: { permission: 'project.read' },
        schema: {
          ...querySchema(
            'flags',
            'What changed in a flag between two moments',
            answering<ToldDiff<FlagDiff> & { position: Position }>(Diff),
          ),
          params: FlagParams,
          querystring: query({ from: DiffEndText, to: Type.Optional(DiffEndText) }),
        },
      },
      async (request, reply) => {
        const address = addressIn(request);
        const { from, to = 'now' } = request.query;
        const stream = flagStream(
          projectIdOf(address.organizationId, address.project),
          address.flag,
        );
        const before = await queries.resolveMoment(parseMoment(from), stream);
        const after = await queries.resolveMoment(parseMoment(to), stream);
        const diff = await queries.flagDiff(address, before, after);
        return standing(reply, later(before.position, after.position), toldDiff(request, diff));
      },
    );
  };
