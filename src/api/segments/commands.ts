import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { type Handle } from '../../commands/streams/command.js';
import { type SegmentCommand } from '../../commands/segment/decider.js';
import { MAX_SEGMENT_KEYS } from '../../commands/segment/keys.js';
import { type Moment, type SegmentSnapshot } from '../../commands/snapshot.js';
import { segmentChangesBetween } from '../../domain/changes/segment-changes.js';
import { type Segment, type SegmentEvent } from '../../domain/segment.js';
import { momentIn, requireMoment } from '../flags/commands.js';
import { rulesIn, SegmentRules } from '../flags/rule-schemas.js';
import { MomentBody, Tags } from '../flags/schemas.js';
import { projectIn, projectPath } from '../http/command-route.js';
import { closed, Description, Key, Name } from '../http/schemas.js';
import { aggregateRouter } from '../http/send-command.js';

export const SegmentParams = Type.Object({ project: Key, segment: Key });
export const SegmentRuleParams = Type.Object({ project: Key, segment: Key, rule: Key });

/** Body limit of routes that take keys: 100 000 of up to some 80 characters. */
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

/** What all routes of commands on segments share. */
export const ofSegments = ({ segments }: Pick<SegmentCommandDeps, 'segments'>) =>
  ({
    tag: 'segments',
    permission: 'flags.write',
    handle: segments,
    changesOf: segmentChangesBetween,
  }) as const;

/** Commands on a segment as a whole; those on its keys and rules have files of their own. */
export const segmentCommandRoutes =
  ({ segments, segmentSnapshotOf }: SegmentCommandDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const command = aggregateRouter(app, ofSegments({ segments }));

    command('POST', '/projects/:project/segments', 'Create a segment', {
      params: Type.Object({ project: Key }),
      body: NewSegment,
      quota: { one: 'segments', bytes: 'body' },
      bodyLimit: SEGMENT_BODY_LIMIT,
      locationOf: ({ params, body }) => `${projectPath(params.project)}/segments/${body.key}`,
      toCommand: (request) => {
        const { key: segmentKey, rules = [], ...details } = request.body;
        const projectId = projectIn(request);
        const data = { projectId, segmentKey, ...details, rules: rulesIn(rules) };
        return { type: 'CreateSegment', data };
      },
    });

    command('PATCH', SEGMENT, 'Change name, description or tags of a segment', {
      params: SegmentParams,
      body: SegmentDetails,
      quota: { bytes: 'body' },
      toCommand: (request) => ({
        type: 'ChangeSegmentDetails',
        data: { ...segmentIn(request), ...request.body },
      }),
    });

    const deletion = 'Delete a segment that no active flag or segment uses; it can be restored';
    command('DELETE', SEGMENT, deletion, {
      params: SegmentParams,
      toCommand: (request) => ({ type: 'DeleteSegment', data: segmentIn(request) }),
    });

    const restore = 'Restore a deleted segment, as it was before or at a moment';
    command('POST', `${SEGMENT}/restore`, restore, {
      params: SegmentParams,
      body: MomentBody,
      isBodyOptional: true,
      quota: { one: 'segments', bytes: 'segment' },
      toCommand: async (request) => {
        const place = segmentIn(request);
        const moment = momentIn(request.body);
        const snapshot = await segmentSnapshotOf(place.projectId, place.segmentKey, moment);
        return { type: 'RestoreSegment', data: { ...place, snapshot } };
      },
    });

    command('POST', `${SEGMENT}/revert`, 'Revert a segment to a moment', {
      params: SegmentParams,
      body: MomentBody,
      quota: { bytes: 'segment' },
      toCommand: async (request) => {
        const place = segmentIn(request);
        const moment = requireMoment(request.body);
        const snapshot = await segmentSnapshotOf(place.projectId, place.segmentKey, moment);
        return { type: 'RevertSegment', data: { ...place, snapshot } };
      },
    });
  };

/** Commands on the keys that are in a segment, or never are. */
export const segmentKeyCommandRoutes =
  (deps: Pick<SegmentCommandDeps, 'segments'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    const command = aggregateRouter(app, ofSegments(deps));

    command('PUT', `${SEGMENT}/keys`, 'Replace the included and excluded keys', {
      params: SegmentParams,
      body: KeyListsBody,
      quota: { bytes: 'body' },
      bodyLimit: SEGMENT_BODY_LIMIT,
      toCommand: (request) => ({
        type: 'ReplaceSegmentKeys',
        data: { ...segmentIn(request), ...request.body },
      }),
    });

    command('POST', `${SEGMENT}/keys/add`, 'Include or exclude keys, whatever they were before', {
      params: SegmentParams,
      body: AddedKeysBody,
      quota: { bytes: 'body' },
      bodyLimit: SEGMENT_BODY_LIMIT,
      toCommand: (request) => {
        const { included = [], excluded = [] } = request.body;
        return { type: 'AddSegmentKeys', data: { ...segmentIn(request), included, excluded } };
      },
    });

    command('POST', `${SEGMENT}/keys/remove`, 'Remove keys from both lists', {
      params: SegmentParams,
      body: Type.Object({ keys: SegmentKeys }, closed),
      bodyLimit: SEGMENT_BODY_LIMIT,
      toCommand: (request) => ({
        type: 'RemoveSegmentKeys',
        data: { ...segmentIn(request), ...request.body },
      }),
    });
  };
