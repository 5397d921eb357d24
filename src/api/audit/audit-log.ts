import { Readable } from 'node:stream';
import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, type TObject, Type } from '@sinclair/typebox';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Position as LogPosition } from '../../domain/position.js';
import { CATEGORIES, type Category } from '../../domain/streams.js';
import { type ActorScope } from '../../queries/audit/actors.js';
import { type AuditFilter } from '../../queries/audit/audit-filter.js';
import { type AuditEntry } from '../../queries/audit/audit-log.js';
import { type ParkedStreams } from '../../queries/log/parked-streams.js';
import { type Verification } from '../../queries/log/verify.js';
import { type Page } from '../../queries/paging.js';
import { type Queries } from '../../queries/queries.js';
import { visibleTo } from '../http/permissions.js';
import {
  actorScope,
  ActorText,
  addressIn,
  filterIn,
  Id,
  order,
  paging,
  ProjectParams,
  queryRouter,
  standing,
  Time,
} from '../http/query-route.js';
import {
  answerOf,
  Key,
  Position,
  Revision,
  RowsComparedSchema,
  Timestamp,
} from '../http/schemas.js';
import { answering, Changes, Data, named, nullable, pageOf } from '../http/view-schemas.js';
import { PositionParams } from './trail-schemas.js';

const filter = {
  project: Type.Optional(Key),
  flag: Type.Optional(Key),
  segment: Type.Optional(Key),
  category: Type.Optional(
    Type.Unsafe<Category>(Type.Union(CATEGORIES.map((category) => Type.Literal(category)))),
  ),
  type: Type.Optional(Type.Array(Id, { maxItems: 50 })),
  actor: Type.Optional(ActorText),
  environment: Type.Optional(Key),
  from: Type.Optional(Time),
  to: Type.Optional(Time),
  commandId: Type.Optional(Id),
  requestId: Type.Optional(Id),
};

const Entry = Type.Object({
  ...named,
  category: Type.String(),
  stream: Type.String(),
  project: nullable(Type.String()),
  key: nullable(Type.String({ description: 'Of the flag, segment, API key or person.' })),
  environment: nullable(Type.String()),
  data: Data,
  changes: Changes,
});

const FORMATS = {
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
} as const;

const Format = Type.Union([Type.Literal('ndjson'), Type.Literal('csv')]);

/** Everything that happened in an organization, in pages or as one download. */
export const auditRoutes =
  (queries: Queries): FastifyPluginAsyncTypebox =>
  async (app) => {
    const query = queryRouter(app, queries, { tag: 'audit', permission: 'audit.read' });

    /** What was asked for, within what the caller may see. */
    const within = async (
      request: Pick<FastifyRequest, 'caller'>,
      query: Static<TObject<typeof filter>>,
    ): Promise<ActorScope & { filter: AuditFilter }> => {
      const { organizationId } = request.caller;
      await queries.requireKnownEnvironment({ organizationId, ...query });
      return {
        ...actorScope(request),
        filter: {
          ...(await filterIn(queries, request, query)),
          ...visibleTo(request.caller, 'audit.read'),
        },
      };
    };

    query('/audit', 'Everything that happened, newest first unless said otherwise', {
      query: { ...filter, ...order, ...paging },
      answer: answering<Page<AuditEntry> & { position: LogPosition }>(pageOf(Entry)),
      run: async (request, reply) => {
        const { order: direction = 'desc', limit = 50, cursor, ...rest } = request.query;
        const upTo = await queries.resolveMoment({});
        const page = { order: direction, limit, ...(cursor !== undefined && { cursor }) };
        const asked = { ...(await within(request, rest)), upTo, ...page };
        return standing(reply, upTo.position, await queries.auditLog(asked));
      },
    });

    query('/audit/events/:position', 'One event: who, when, from where, why, and what it changed', {
      params: PositionParams,
      query: {},
      answer: answering<AuditEntry>(Entry),
      run: async (request, reply) => {
        const entry = await queries.auditEntry(request.params.position, await within(request, {}));
        void reply.header('x-position', String(entry.position));
        return entry;
      },
    });

    const aboutExport = 'The same as a download, oldest first: one JSON object per line, or CSV';
    query('/audit/export', aboutExport, {
      isHeavy: true,
      query: { format: Type.Optional(Format), ...filter },
      answer: Type.Unsafe<FastifyReply>(
        answerOf('One event per line, oldest first.', {
          'application/x-ndjson': Type.String(),
          'text/csv': Type.String(),
        }),
      ),
      run: async (request, reply) => {
        const { format = 'ndjson', ...rest } = request.query;
        const asked = { ...(await within(request, rest)), format };
        const { position, chunks } = await queries.exportAuditLog(asked);
        void reply.type(FORMATS[format]).header('x-position', String(position));
        void reply.header(
          'content-disposition',
          `attachment; filename="audit-${position}.${format}"`,
        );
        return reply.send(Readable.from(chunks));
      },
    });
  };

const Verified = Type.Object({
  agree: Type.Boolean(),
  flagsChecked: Type.Integer(),
  segmentsChecked: Type.Integer(),
  differences: Type.Array(
    Type.Object({
      flag: nullable(Type.String()),
      segment: Type.Optional(Type.String()),
      readModelRevision: nullable(Revision),
      logRevision: nullable(Revision),
      changes: Changes,
    }),
  ),
  compared: RowsComparedSchema,
  nextCursor: nullable(Type.String()),
  position: Position,
});

const ParkedStreamsAnswer = Type.Object({
  count: Type.Integer({ description: 'All of them; the items are the first, in log order.' }),
  items: Type.Array(
    Type.Object({
      stream: Type.String(),
      category: Type.String(),
      revision: Revision,
      position: Position,
      type: Type.String(),
      recordedAt: Timestamp,
      error: Type.String({ description: 'Why the event cannot be applied.' }),
      waiting: Type.Integer({ description: 'Events of the stream behind it, in the log.' }),
      lastPosition: Position,
    }),
  ),
});

/** Whether the read model is what the log says. */
export const verificationRoutes =
  (queries: Queries): FastifyPluginAsyncTypebox =>
  async (app) => {
    const query = queryRouter(app, queries, { tag: 'audit', permission: 'audit.read' });

    const aboutParked = 'Streams that stand still in front of an event that cannot be applied';
    query('/parked-streams', aboutParked, {
      permission: 'audit.verify',
      answer: answering<ParkedStreams>(ParkedStreamsAnswer),
      run: async ({ caller }) => queries.parkedStreams(caller.organizationId),
    });

    const aboutVerify =
      'Compare the read model with the log, a page of flags and segments at a time';
    query('/projects/:project/verify', aboutVerify, {
      tag: 'projects',
      isHeavy: true,
      params: ProjectParams,
      query: paging,
      answer: answering<Verification>(Verified),
      run: async (request, reply) => {
        const now = await queries.resolveMoment({});
        const asked = { ...addressIn(request), ...request.query };
        return standing(reply, now.position, await queries.verifyProject(asked, now));
      },
    });
  };
