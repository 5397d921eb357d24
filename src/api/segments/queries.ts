import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { projectIdOf, segmentStream } from '../../domain/streams.js';
import { type SegmentListItem } from '../../queries/entities/list-segments.js';
import { segmentUsage, type SegmentUsage } from '../../queries/entities/segment-usage.js';
import { type SegmentView } from '../../queries/entities/segment-view.js';
import { type Page } from '../../queries/paging.js';
import { type Queries } from '../../queries/queries.js';
import {
  addressIn,
  awaitPosition,
  moment,
  ownMoment,
  paging,
  ProjectParams,
  query,
  querySchema,
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
    app.addHook('preHandler', awaitPosition(queries));

    app.get(
      '/projects/:project/segments',
      {
        config: { permission: 'project.read' },
        schema: {
          ...querySchema(
            'segments',
            'List segments, now or at a moment',
            answering<Page<SegmentListItem> & Standing>(pageOf(SegmentItem)),
          ),
          params: ProjectParams,
          querystring: query({ ...filter, ...paging, ...moment }),
        },
      },
      async (request, reply) => {
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
    );

    app.get(
      '/projects/:project/segments/:segment',
      {
        config: { permission: 'project.read' },
        schema: {
          ...querySchema(
            'segments',
            'A segment, now or at a moment; also when it is deleted',
            answering<Told<SegmentView> & Standing & { project: string }>(SegmentAnswer),
          ),
          params: SegmentParams,
          querystring: query({ ...ownMoment, ...source }),
        },
      },
      async (request, reply) => {
        const address = addressIn(request);
        const { source: from = 'read-model', ...asked } = request.query;
        const projectId = projectIdOf(address.organizationId, address.project);
        const then = await queries.resolveMoment(asked, segmentStream(projectId, address.segment));
        const segment = await queries.sources[from].segment(address, then);
        void reply.header('etag', `"${segment.revision}"`);
        return standing(reply, then.position, {
          project: address.project,
          ...toldTo(request, segment),
        });
      },
    );

    app.get(
      '/projects/:project/segments/:segment/usage',
      {
        config: { permission: 'project.read' },
        schema: {
          ...querySchema(
            'segments',
            'Who refers to a segment, now or at a moment',
            answering<SegmentUsage & Standing>(Usage),
          ),
          params: SegmentParams,
          querystring: query({ ...moment, ...source }),
        },
      },
      async (request, reply) => {
        const { source: from = 'read-model', ...asked } = request.query;
        const then = await queries.resolveMoment(asked);
        const usage = await segmentUsage(queries.sources[from])(addressIn(request), then);
        return standing(reply, then.position, usage);
      },
    );
  };
