import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { segmentChangesBetween } from '../../../domain/changes/segment-changes.js';
import { commandSchema, nameCommand } from '../../command-route.js';
import { closed } from '../../schemas.js';
import { commandSender } from '../../send-command.js';
import { type SegmentCommandDeps, segmentIn } from './segment-commands.js';
import {
  AddedKeysBody,
  KeyListsBody,
  SEGMENT_BODY_LIMIT,
  SegmentKeys,
  SegmentParams,
} from './segment-schemas.js';

const SEGMENT = '/projects/:project/segments/:segment';

/** Commands on the keys that are in a segment, or never are. */
export const segmentKeyCommandRoutes =
  ({ segments }: Pick<SegmentCommandDeps, 'segments'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    const send = commandSender(segments, segmentChangesBetween);
    app.addHook('preValidation', nameCommand);

    app.put(
      `${SEGMENT}/keys`,
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
      `${SEGMENT}/keys/add`,
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
      `${SEGMENT}/keys/remove`,
      {
        config: { permission: 'flags.write' },
        bodyLimit: SEGMENT_BODY_LIMIT,
        schema: {
          ...commandSchema('segments', 'Neither include nor exclude these keys any more'),
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
