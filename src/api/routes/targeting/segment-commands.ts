import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { type Moment } from '../../../commands/history-at.js';
import { type SegmentCommand } from '../../../commands/segment-decider.js';
import { type SegmentSnapshot } from '../../../commands/segment/snapshot.js';
import { segmentChangesBetween } from '../../../domain/changes/segment-changes.js';
import { type SegmentEvent } from '../../../domain/segment/events.js';
import { type Segment } from '../../../domain/segment/segment.js';
import {
  commandSchema,
  creationSchema,
  nameCommand,
  projectIn,
  projectPath,
} from '../../command-route.js';
import { Key } from '../../schemas.js';
import { commandSender } from '../../send-command.js';
import { MomentBody } from '../flag-schemas.js';
import { clausesIn } from './rule-schemas.js';
import {
  NewSegment,
  SEGMENT_BODY_LIMIT,
  SegmentDetails,
  SegmentParams,
} from './segment-schemas.js';
import { emptyBodyIsObject, momentIn, requireMoment } from '../time-travel-commands.js';
import { type Handle } from '../../../commands/command.js';

export type SegmentCommandDeps = Readonly<{
  segments: Handle<Segment, SegmentCommand, SegmentEvent>;
  /** A segment as it was at a moment, folded from the log. */
  segmentSnapshotOf: (
    projectId: string,
    segmentKey: string,
    moment: Moment,
  ) => Promise<SegmentSnapshot>;
}>;

const SEGMENT = '/projects/:project/segments/:segment';

type Place = Parameters<typeof projectIn>[0] & { params: { segment: string } };

export const segmentIn = (request: Place) => ({
  projectId: projectIn(request),
  segmentKey: request.params.segment,
});

/** Commands on a segment as a whole; those on its keys and rules have files of their own. */
export const segmentCommandRoutes =
  ({ segments, segmentSnapshotOf }: SegmentCommandDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const send = commandSender(segments, segmentChangesBetween);
    app.addHook('preValidation', nameCommand);

    app.post(
      '/projects/:project/segments',
      {
        config: { permission: 'flags.write', quota: { one: 'segments', bytes: 'body' } },
        bodyLimit: SEGMENT_BODY_LIMIT,
        schema: {
          ...creationSchema('segments', 'Create a segment'),
          params: Type.Object({ project: Key }),
          body: NewSegment,
        },
      },
      async (request, reply) => {
        const { key: segmentKey, rules: asked = [], ...details } = request.body;
        const rules = asked.map(({ clauses, ...rule }) => ({
          ...rule,
          clauses: clausesIn(clauses),
        }));
        const data = { projectId: projectIn(request), segmentKey, ...details, rules };
        const at = `${projectPath(request.params.project)}/segments/${segmentKey}`;
        return send(request, reply, { type: 'CreateSegment', data }, at);
      },
    );

    app.patch(
      SEGMENT,
      {
        config: { permission: 'flags.write', quota: { bytes: 'body' } },
        schema: {
          ...commandSchema('segments', 'Change name, description or tags of a segment'),
          params: SegmentParams,
          body: SegmentDetails,
        },
      },
      async (request, reply) => {
        const data = { ...segmentIn(request), ...request.body };
        return send(request, reply, { type: 'ChangeSegmentDetails', data });
      },
    );

    app.delete(
      SEGMENT,
      {
        config: { permission: 'flags.write' },
        schema: {
          ...commandSchema(
            'segments',
            'Delete a segment that no active flag or segment uses; it can be restored',
          ),
          params: SegmentParams,
        },
      },
      async (request, reply) =>
        send(request, reply, { type: 'DeleteSegment', data: segmentIn(request) }),
    );

    app.post(
      `${SEGMENT}/restore`,
      {
        config: { permission: 'flags.write', quota: { one: 'segments', bytes: 'segment' } },
        schema: {
          ...commandSchema(
            'segments',
            'Restore a deleted segment, as it was before or at a moment',
          ),
          params: SegmentParams,
          body: MomentBody,
        },
        preValidation: emptyBodyIsObject,
      },
      async (request, reply) => {
        const place = segmentIn(request);
        const moment = momentIn(request.body);
        const snapshot = await segmentSnapshotOf(place.projectId, place.segmentKey, moment);
        return send(request, reply, { type: 'RestoreSegment', data: { ...place, snapshot } });
      },
    );

    app.post(
      `${SEGMENT}/revert`,
      {
        config: { permission: 'flags.write', quota: { bytes: 'segment' } },
        schema: {
          ...commandSchema('segments', 'Make a segment what it was at a moment'),
          params: SegmentParams,
          body: MomentBody,
        },
      },
      async (request, reply) => {
        const place = segmentIn(request);
        const moment = requireMoment(request.body);
        const snapshot = await segmentSnapshotOf(place.projectId, place.segmentKey, moment);
        return send(request, reply, { type: 'RevertSegment', data: { ...place, snapshot } });
      },
    );
  };
