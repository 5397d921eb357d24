import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { type ParkedStreams } from '../../queries/log/parked-streams.js';
import { type Verification } from '../../queries/log/verify-project.js';
import { type Queries } from '../../queries/queries.js';
import { Position, Revision, RowsComparedSchema, Timestamp } from '../schemas.js';
import {
  addressIn,
  awaitPosition,
  paging,
  ProjectParams,
  query,
  querySchema,
  standing,
} from './asking.js';
import { answering, Changes, nullable } from './view-schemas.js';

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
    app.addHook('preHandler', awaitPosition(queries));

    app.get(
      '/parked-streams',
      {
        config: { permission: 'audit.verify' },
        schema: querySchema(
          'audit',
          'Streams that stand still in front of an event that cannot be applied',
          answering<ParkedStreams>(ParkedStreamsAnswer),
        ),
      },
      async ({ caller }) => queries.parkedStreams(caller.organizationId),
    );

    app.get(
      '/projects/:project/verify',
      {
        config: { permission: 'audit.read' },
        schema: {
          ...querySchema(
            'projects',
            'Compare the read model with the log, a page of flags and segments at a time',
            answering<Verification>(Verified),
          ),
          params: ProjectParams,
          querystring: query(paging),
        },
      },
      async (request, reply) => {
        const now = await queries.resolveMoment({});
        const asked = { ...addressIn(request), ...request.query };
        return standing(reply, now.position, await queries.verifyProject(asked, now));
      },
    );
  };
