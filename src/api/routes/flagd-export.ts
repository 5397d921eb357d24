import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { flagdExport } from '../../queries/flagd/flagd-export.js';
import { sendText } from '../edge/compression.js';
import { EnvironmentParams, MinPosition, MomentQuery } from '../evaluation/evaluation-schemas.js';
import { environmentLocator, type EvaluationDeps } from '../evaluation/locate-environment.js';
import { namesTag, notModified } from '../ofrep/validators.js';
import { problems } from '../schemas.js';

const Document = Type.Object(
  {
    $schema: Type.String(),
    metadata: Type.Record(Type.String(), Type.String()),
    flags: Type.Record(Type.String(), Type.Unknown()),
  },
  { description: 'A flag definition file of flagd (flagd.dev/schema/v0/flags.json).' },
);

/** An environment as a file for flagd, and for its providers. */
export const flagdExportRoutes =
  (deps: EvaluationDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const locate = environmentLocator(deps);

    app.get(
      '/projects/:project/environments/:environment/flagd.json',
      {
        config: { access: 'evaluation', permission: 'project.evaluate' },
        schema: {
          tags: ['import'],
          summary: 'Export an environment as a flagd file, now or as it was at a moment',
          params: EnvironmentParams,
          querystring: MomentQuery,
          headers: MinPosition,
          response: {
            200: Document,
            304: Type.Null({ description: 'It is what If-None-Match names.' }),
            ...problems,
          },
        },
      },
      async (request, reply) => {
        const { project, environment: key } = request.params;
        const { environment, position } = await locate(request);
        const file = flagdExport(environment, `${project}/${key}`);
        const { text, tag, leftOut } = file;
        void reply
          .header('etag', `"${tag}"`)
          .header('x-position', position)
          .header('x-left-out', leftOut);
        if (namesTag(request.headers['if-none-match'], tag)) return notModified(reply);
        sendText(reply, text, file);
        return reply;
      },
    );
  };
