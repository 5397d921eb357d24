import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { flagStream, projectIdOf } from '../../domain/streams.js';
import { type NamedActor } from '../../queries/audit/actors.js';
import { type FlagDiff } from '../../queries/entities/entity-diff.js';
import { type FlagHistoryItem } from '../../queries/entities/entity-history.js';
import { type Page } from '../../queries/paging.js';
import { type Queries } from '../../queries/queries.js';
import {
  actorScope,
  addressIn,
  changeFilter,
  diffEnds,
  endsOf,
  filterIn,
  FlagParams,
  order,
  paging,
  queryRouter,
  standing,
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
    const query = queryRouter(app, queries, { tag: 'flags', permission: 'project.read' });

    const aboutHistory = 'Every event of a flag: who, when, from where, why, and what changed';
    query('/projects/:project/flags/:flag/history', aboutHistory, {
      permission: 'audit.read',
      params: FlagParams,
      query: {
        environment: Type.Optional(Key),
        ...changeFilter,
        ...order,
        ...paging,
      },
      answer: answering<Page<FlagHistoryItem & { actor: NamedActor }> & { position: Position }>(
        pageOf(HistoryItem),
      ),
      run: async (request, reply) => {
        const { position } = await queries.resolveMoment({});
        const filter = await filterIn(queries, request, request.query);
        const page = await queries.flagHistory({ ...addressIn(request), ...filter });
        const items = await queries.nameActors(page.items, actorScope(request));
        return standing(reply, position, { ...page, items });
      },
    });

    query('/projects/:project/flags/:flag/diff', 'What changed in a flag between two moments', {
      params: FlagParams,
      query: diffEnds,
      answer: answering<ToldDiff<FlagDiff> & { position: Position }>(Diff),
      run: async (request, reply) => {
        const address = addressIn(request);
        const projectId = projectIdOf(address.organizationId, address.project);
        const stream = flagStream(projectId, address.flag);
        const { before, after, position } = await endsOf(queries, request.query, stream);
        const diff = await queries.flagDiff(address, before, after);
        return standing(reply, position, toldDiff(request, diff));
      },
    });
  };
