import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { projectIdOf, segmentStream } from '../../domain/streams.js';
import { type SegmentListItem } from '../../queries/entities/list-segments.js';
import { segmentUsage, type SegmentUsage } from '../../queries/entities/segment-usage.js';
import { type SegmentView } from '../../queries/entities/kinds.js';
import { type Page } from '../../queries/paging.js';
import { type Queries } from '../../queries/queries.js';
import {
  addressIn,
  moment,
  ownMoment,
  paging,
  ProjectParams,
  queryRouter,
  readingOf,
  Search,
  source,
  standing,
  type Told,
  toldTo,
} from '../http/query-route.js';
import { objectOrNull, Position, Revision, Timestamp } from '../http/schemas.js';
import { answering, LastChange, nullable, pageOf, segmentContent } from '../http/view-schemas.js';
import { SegmentParams } from './commands.js';

type Standing = Readonly<{ position: Position }>;

const { included: _, excluded: __, rules: ___, ...identity } = segmentContent;

const SegmentItem = Type.Object({
  ...identity,
  included: Type.Integer({ description: 'How many keys.' }),
  excluded: Type.Integer({ description: 'How many keys.' }),
  rules: Type.Integer({ description: 'How many.' }),
  revision: Revision,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});

const SegmentAnswer = Type.Object({
  project: Type.String(),
  ...segmentContent,
  revision: Revision,
  createdAt: Timestamp,
  updatedAt: Timestamp,
  lastChange: LastChange,
  heldUntil: objectOrNull(Type.Object({ position: Position, recordedAt: Timestamp })),
  position: Position,
});

const Usage = Type.Object({
  segment: Type.String(),
  flags: Type.Array(
    Type.Object({
      flag: Type.String(),
      status: Type.String(),
      environment: nullable(Type.String()),
      rules: Type.Array(Type.String(), { description: 'Ids.' }),
    }),
    { description: 'With the environments and rules in which they refer to it; null: defaults.' },
  ),
  segments: Type.Array(Type.Object({ segment: Type.String(), rules: Type.Array(Type.String()) })),
  position: Position,
});

const filter = {
  tag: Type.Optional(Type.Array(Type.String({ maxLength: 60 }), { maxItems: 50 })),
  q: Type.Optional(Search),
  status: Type.Optional(
    Type.Union([Type.Literal('active'), Type.Literal('deleted'), Type.Literal('all')]),
  ),
};

/** Segments of a project and one segment, now and at any past moment. */
export const segmentQueryRoutes =
  (queries: Queries): FastifyPluginAsyncTypebox =>
  async (app) => {
    const query = queryRouter(app, queries, { tag: 'segments', permission: 'project.read' });

    query('/projects/:project/segments', 'List segments, now or at a moment', {
      params: ProjectParams,
      query: { ...filter, ...paging, ...moment },
      answer: answering<Page<SegmentListItem> & Standing>(pageOf(SegmentItem)),
      run: async (request, reply) => {
        const { at, position, tag: tags, q: text, ...rest } = request.query;
        const then = await queries.resolveMoment({
          ...(at !== undefined && { at }),
          ...(position !== undefined && { position }),
        });
        const page = await queries.listSegments({
          ...addressIn(request),
          ...rest,
          ...(tags && { tags }),
          ...(text !== undefined && { text }),
          moment: then,
        });
        return standing(reply, then.position, page);
      },
    });

    const aboutOneSegment = 'A segment, now or at a moment; also when it is deleted';
    query('/projects/:project/segments/:segment', aboutOneSegment, {
      params: SegmentParams,
      query: { ...ownMoment, ...source },
      answer: answering<Told<SegmentView> & Standing & { project: string }>(SegmentAnswer),
      run: async (request, reply) => {
        const address = addressIn(request);
        const projectId = projectIdOf(address.organizationId, address.project);
        const stream = segmentStream(projectId, address.segment);
        const { source, then } = await readingOf(queries, request.query, stream);
        const segment = await source.segment(address, then);
        void reply.header('etag', `"${segment.revision}"`);
        return standing(reply, then.position, {
          project: address.project,
          ...toldTo(request, segment),
        });
      },
    });

    const aboutUsage = 'Who refers to a segment, now or at a moment';
    query('/projects/:project/segments/:segment/usage', aboutUsage, {
      params: SegmentParams,
      query: { ...moment, ...source },
      answer: answering<SegmentUsage & Standing>(Usage),
      run: async (request, reply) => {
        const { source, then } = await readingOf(queries, request.query);
        const usage = await segmentUsage(source)(addressIn(request), then);
        return standing(reply, then.position, usage);
      },
    });
  };
