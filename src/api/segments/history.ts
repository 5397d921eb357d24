import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { projectIdOf, segmentStream } from '../../domain/streams.js';
import { type NamedActor } from '../../queries/audit/actors.js';
import { type SegmentDiff } from '../../queries/entities/entity-diff.js';
import { type SegmentHistoryItem } from '../../queries/entities/entity-history.js';
import { type Page } from '../../queries/paging.js';
import { type Queries } from '../../queries/queries.js';
import {
  actorScope,
  addressIn,
  changeFilter,
  diffEnds,
  endsOf,
  filterIn,
  order,
  paging,
  queryRouter,
  standing,
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
    const query = queryRouter(app, queries, { tag: 'segments', permission: 'project.read' });

    const aboutHistory = 'Every event of a segment, and what it changed';
    query('/projects/:project/segments/:segment/history', aboutHistory, {
      permission: 'audit.read',
      params: SegmentParams,
      query: {
        ...changeFilter,
        ...order,
        ...paging,
      },
      answer: answering<Page<SegmentHistoryItem & { actor: NamedActor }> & { position: Position }>(
        pageOf(HistoryItem),
      ),
      run: async (request, reply) => {
        const { position } = await queries.resolveMoment({});
        const filter = await filterIn(queries, request, request.query);
        const page = await queries.segmentHistory({ ...addressIn(request), ...filter });
        const items = await queries.nameActors(page.items, actorScope(request));
        return standing(reply, position, { ...page, items });
      },
    });

    const aboutDiff = 'What changed in a segment between two moments';
    query('/projects/:project/segments/:segment/diff', aboutDiff, {
      params: SegmentParams,
      query: diffEnds,
      answer: answering<ToldDiff<SegmentDiff> & { position: Position }>(Diff),
      run: async (request, reply) => {
        const address = addressIn(request);
        const projectId = projectIdOf(address.organizationId, address.project);
        const stream = segmentStream(projectId, address.segment);
        const { before, after, position } = await endsOf(queries, request.query, stream);
        const diff = await queries.segmentDiff(address, before, after);
        return standing(reply, position, toldDiff(request, diff));
      },
    });
  };
