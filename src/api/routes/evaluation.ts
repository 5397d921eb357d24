import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type FastifyReply } from 'fastify';
import { type Context } from '../../domain/evaluation/context.js';
import {
  allFlagsAnswer,
  type EnvironmentAt,
  explainedAnswer,
  flagAnswer,
} from '../../queries/rulesets/evaluation-answers.js';
import { sendText } from '../edge/compression.js';
import { type EvaluationDeps, environmentLocator } from '../evaluation/locate-environment.js';
import { contextFromBody, contextFromQuery } from '../evaluation/evaluation-context.js';
import {
  AllFlagsAnswer,
  ContextBody,
  EnvironmentParams,
  ExplainedFlatContext,
  ExplainedMomentQuery,
  FlagAnswer,
  FlagParams,
  FlatContext,
  MinPosition,
  MomentQuery,
} from '../evaluation/evaluation-schemas.js';

/** Bodies larger than this are no context. Bytes. */
const BODY_LIMIT = 64 * 1024;

const withoutChild = <Logger>(logger: Logger): Logger => logger;

type Answer = (located: EnvironmentAt) => string;

/** The text is JSON already, so the reply's serializer has nothing to do. */
const send = (reply: FastifyReply, located: EnvironmentAt, answer: Answer): void => {
  void reply.header('x-position', located.position);
  sendText(reply, answer(located));
};

/** Answers in the same turn of the event loop where it can: a promise costs more than the evaluation. */
const respond = (
  reply: FastifyReply,
  located: EnvironmentAt | Promise<EnvironmentAt>,
  answer: Answer,
): void => {
  if (!(located instanceof Promise)) {
    send(reply, located, answer);
    return;
  }
  located.then(
    (environment) => {
      send(reply, environment, answer);
    },
    (error: unknown) => {
      void reply.send(error);
    },
  );
};

/** Evaluation for people with curl: one flag or all, for a context in the query (GET) or in the body (POST). */
export const evaluationRoutes =
  (deps: EvaluationDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const locate = environmentLocator(deps);
    const all =
      (context: Context): Answer =>
      (located) =>
        allFlagsAnswer(located, context);
    const one =
      (flag: string, context: Context, { explain }: Readonly<{ explain?: boolean }>): Answer =>
      (located) =>
        (explain === true ? explainedAnswer : flagAnswer)(located, flag, context);
    const path = '/projects/:project/environments/:environment/evaluate';
    const base = {
      bodyLimit: BODY_LIMIT,
      // A logger of its own for every request costs as much as the evaluation, and these routes log nothing.
      childLoggerFactory: withoutChild,
    } as const;
    const ofAll = {
      ...base,
      config: { access: 'bulk-evaluation', permission: 'project.evaluate' },
    } as const;
    const ofOne = {
      ...base,
      config: { access: 'evaluation', permission: 'project.evaluate' },
    } as const;
    const about = (summary: string) => ({
      tags: ['evaluation'],
      summary,
      security: [{ credential: [] }, { apiKey: [] }],
      headers: MinPosition,
    });

    app.get(
      path,
      {
        ...ofAll,
        schema: {
          ...about('Evaluate all flags'),
          params: EnvironmentParams,
          querystring: FlatContext,
          response: AllFlagsAnswer,
        },
      },
      (request, reply) => {
        respond(reply, locate(request), all(contextFromQuery(request.query)));
      },
    );

    app.post(
      path,
      {
        ...ofAll,
        schema: {
          ...about('Evaluate all flags'),
          params: EnvironmentParams,
          querystring: MomentQuery,
          body: ContextBody,
          response: AllFlagsAnswer,
        },
      },
      (request, reply) => {
        respond(reply, locate(request), all(contextFromBody(request.body.context)));
      },
    );

    app.get(
      `${path}/:flag`,
      {
        ...ofOne,
        schema: {
          ...about('Evaluate one flag'),
          params: FlagParams,
          querystring: ExplainedFlatContext,
          response: FlagAnswer,
        },
      },
      (request, reply) => {
        const { params, query } = request;
        respond(reply, locate(request), one(params.flag, contextFromQuery(query), query));
      },
    );

    app.post(
      `${path}/:flag`,
      {
        ...ofOne,
        schema: {
          ...about('Evaluate one flag'),
          params: FlagParams,
          querystring: ExplainedMomentQuery,
          body: ContextBody,
          response: FlagAnswer,
        },
      },
      (request, reply) => {
        const { params, query, body } = request;
        respond(reply, locate(request), one(params.flag, contextFromBody(body.context), query));
      },
    );
  };
