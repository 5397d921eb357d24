import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { later } from '../../domain/position.js';
import { projectIdOf, segmentStream } from '../../domain/streams.js';
import { type NamedActor } from '../../queries/audit/actors.js';
import { type SegmentDiff } from '../../queries/entities/entity-diff.js';
import { type SegmentHistoryItem } from '../../queries/entities/entity-history.js';
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
import { objectOrNull, Position, Revision } from '../http/schemas.js';
import {
  answering,
  Changes,
  Data,
  LastChange,
  named,
  nullable,
  pageOf,
} from '../http/view-schemas.js';
import { SegmentParams } from './commands.js';

const HistoryItem = Type.Object({ ...named, data: Data, changes: Changes });

const DiffEnd = Type.Object({
  position: Position,
  revision: nullable(Revision),
  status: nullable(Type.String()),
  lastChange: objectOrNull(LastChange),
});

const Diff = Type.Object({ from: DiffEnd, to: DiffEnd, changes: Changes, position: Position });

/** What happened to a segment, event by event, and between any two moments. */
export const segmentHistoryRoutes =
  (queries: Queries): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.addHook('preHandler', awaitPosition(queries));

    app.get(
      '/projects/:project/segments/:segment/history',
      {
        config: { permission: 'audit.read' },
        schema: {
          ...querySchema(
            'segments',
            'Every event of a segment, and what it changed',
            answering<Page<SegmentHistoryItem & { actor: NamedActor }> & { position: Position }>(
              pageOf(HistoryItem),
            ),
          ),
          params: SegmentParams,
          querystring: query({
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
        const page = await queries.segmentHistory({ ...addressIn(request), ...filter });
        const items = await queries.nameActors(page.items, actorScope(request));
        return standing(reply, position, { ...page, items });
      },
    );

    app.get(
      '/projects/:project/segments/:segment/diff',
      {
        config: { permission: 'project.read' },
        schema: {
          ...querySchema(
            'segments',
            'What changed in a segment between two moments',
            answering<ToldDiff<SegmentDiff> & { position: Position }>(Diff),
          ),
          params: SegmentParams,
          querystring: query({ from: DiffEndText, to: Type.Optional(DiffEndText) }),
        },
      },
      async (request, reply) => {
        const address = addressIn(request);
        const { from, to = 'now' } = request.query;
        const stream = segmentStream(
          projectIdOf(address.organizationId, address.project),
          address.segment,
        );
        const before = await queries.resolveMoment(parseMoment(from), stream);
        const after = await queries.resolveMoment(parseMoment(to), stream);
        const diff = await queries.segmentDiff(address, before, after);
        return standing(reply, later(before.position, after.position), toldDiff(request, diff));
      },
    );
  };
