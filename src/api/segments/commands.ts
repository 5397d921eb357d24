import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { type Handle } from '../../commands/command.js';
import { type SegmentCommand } from '../../commands/segment/decider.js';
import { MAX_SEGMENT_KEYS } from '../../commands/segment/keys.js';
import { type Moment, type SegmentSnapshot } from '../../commands/snapshot.js';
import { segmentChangesBetween } from '../../domain/changes/segment-changes.js';
import { type Segment, type SegmentEvent } from '../../domain/segment.js';
import { emptyBodyIsObject, momentIn, requireMoment } from '../flags/commands.js';
import { clausesIn, SegmentRules } from '../flags/rule-schemas.js';
import { MomentBody, Tags } from '../flags/schemas.js';
import {
  commandSchema,
  creationSchema,
  nameCommand,
  projectIn,
  projectPath,
} from '../http/command-route.js';
import { closed, Description, Key, Name } from '../http/schemas.js';
import { commandSender } from '../http/send-command.js';

export const SegmentParams = Type.Object({ project: Key, segment: Key });
export const SegmentRuleParams = Type.Object({ project: Key, segment: Key, rule: Key });

/** Of routes that take keys: 100 000 of up to some 80 characters. */
const SEGMENT_BODY_LIMIT = 8 * 1024 * 1024;

/** How many is for the command to judge, which counts both lists together: too many are no malformed request. */
const SegmentKeys = Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
  description: `A segment has at most ${MAX_SEGMENT_KEYS}, in both lists together.`,
});

const details = {
  name: Type.Optional(Name),
  description: Type.Optional(Description),
  tags: Type.Optional(Tags),
};

const NewSegment = Type.Object(
  {
    key: Key,
    ...details,
    included: Type.Optional(SegmentKeys),
    excluded: Type.Optional(SegmentKeys),
    rules: Type.Optional(SegmentRules),
  },
  closed,
);

const SegmentDetails = Type.Object(details, closed);

const KeyListsBody = Type.Object({ included: SegmentKeys, excluded: SegmentKeys }, closed);

const AddedKeysBody = Type.Object(
  { included: Type.Optional(SegmentKeys), excluded: Type.Optional(SegmentKeys) },
  { ...closed, minProperties: 1 },
);

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
          ...commandSchema('segments', 'Revert a segment to a moment'),
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

const SEGMENT_KEYS = '/projects/:project/segments/:segment';

/** Commands on the keys that are in a segment, or never are. */
export const segmentKeyCommandRoutes =
  ({ segments }: Pick<SegmentCommandDeps, 'segments'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    const send = commandSender(segments, segmentChangesBetween);
    app.addHook('preValidation', nameCommand);

    app.put(
      `${SEGMENT_KEYS}/keys`,
      {
        config: { permission: 'flags.write', quota: { bytes: 'body' } },
        bodyLimit: SEGMENT_BODY_LIMIT,
        schema: {
          ...commandSchema('segments', 'Replace the included and excluded keys'),
          params: SegmentParams,
          body: KeyListsBody,
        },
      },
      async (request, reply) => {
        const data = { ...segmentIn(request), ...request.body };
        return send(request, reply, { type: 'ReplaceSegmentKeys', data });
      },
    );

    app.post(
      `${SEGMENT_KEYS}/keys/add`,
      {
        config: { permission: 'flags.write', quota: { bytes: 'body' } },
        bodyLimit: SEGMENT_BODY_LIMIT,
        schema: {
          ...commandSchema('segments', 'Include or exclude keys, whatever they were before'),
          params: SegmentParams,
          body: AddedKeysBody,
        },
      },
      async (request, reply) => {
        const { included = [], excluded = [] } = request.body;
        const data = { ...segmentIn(request), included, excluded };
        return send(request, reply, { type: 'AddSegmentKeys', data });
      },
    );

    app.post(
      `${SEGMENT_KEYS}/keys/remove`,
      {
        config: { permission: 'flags.write' },
        bodyLimit: SEGMENT_BODY_LIMIT,
        schema: {
          ...commandSchema('segments', 'Remove keys from both lists'),
          params: SegmentParams,
          body: Type.Object({ keys: SegmentKeys }, closed),
        },
      },
      async (request, reply) => {
        const data = { ...segmentIn(request), ...request.body };
        return send(request, reply, { type: 'RemoveSegmentKeys', data });
      },
    );
  };
