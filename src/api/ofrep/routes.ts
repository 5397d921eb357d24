import { type FastifyInstance, type FastifyPluginAsync } from 'fastify';
import { ofrepItem } from '../../queries/rulesets/ofrep-answers.js';
import { type RulesetMemory } from '../../queries/rulesets/ruleset-memory.js';
import { bulkRoute } from './bulk-route.js';
import { type EventStreams } from './streams/event-streams.js';
import { sendTogether } from '../edge/compression.js';
import { OfrepFailure, sendFailure } from './failure.js';
import { keyOf, locate } from './locate.js';
import { acceptText, bodyText, contextIn } from './request-body.js';
import { SINGLE_SCHEMA } from './schemas.js';
import { eventStreamRoute, type StreamLimits } from './streams/stream-route.js';
import { streamTokens, type TokenDeps } from './streams/stream-token.js';
import { answerUnknown } from './unknown-paths.js';

export type OfrepDeps = Pick<TokenDeps, 'sign' | 'find'> &
  Readonly<{
    memory: RulesetMemory;
    streams: EventStreams;
    /** Where clients reach this service, with any path in front of ours; absent: where they evaluate. */
    publicUrl?: string | undefined;
    limits?: Partial<StreamLimits> | undefined;
    /** Epoch milliseconds. */
    clock?: () => number;
  }>;

/** Bodies larger than this are no context. Bytes. */
const BODY_LIMIT = 64 * 1024;

/** POST /ofrep/v1/evaluate/flags/{key}. */
const singleRoute = (app: FastifyInstance, memory: RulesetMemory): void => {
  app.post<{ Params: { key: string } }>(
    '/v1/evaluate/flags/:key',
    {
      config: { access: 'evaluation', permission: 'ofrep.evaluate' },
      bodyLimit: BODY_LIMIT,
      schema: SINGLE_SCHEMA,
      validatorCompiler: () => () => true,
      // A logger of its own for every request costs as much as the evaluation, and these routes log nothing.
      childLoggerFactory: (logger) => logger,
    },
    (request, reply) => {
      const { key } = request.params;
      const { environment, position } = locate(memory, keyOf(request));
      const item = ofrepItem(environment, key, contextIn(bodyText(request)));
      if (item === undefined)
        throw new OfrepFailure(404, 'FLAG_NOT_FOUND', `There is no flag '${key}'.`);
      void reply
        .code(item.isFaulty ? 400 : 200)
        .header('content-type', 'application/json; charset=utf-8')
        .header('x-position', position);
      sendTogether(reply, item.text);
    },
  );
};

/** The OpenFeature Remote Evaluation Protocol 0.3.0, as its clients speak it; to be registered under /ofrep. */
export const ofrepRoutes =
  (deps: OfrepDeps): FastifyPluginAsync =>
  async (app) => {
    const { memory, streams, publicUrl, limits, clock = Date.now } = deps;
    const tokens = streamTokens({ ...deps, clock });
    acceptText(app);
    app.setErrorHandler(sendFailure);
    app.setNotFoundHandler(answerUnknown);
    singleRoute(app, memory);
    bulkRoute(app, { memory, tokens, publicUrl }, BODY_LIMIT);
    eventStreamRoute(app, { streams, tokens, limits });
  };
