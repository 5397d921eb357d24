import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type FastifyReply } from 'fastify';
import { DomainError } from '../../domain/decider.js';
import { type Context } from '../../domain/evaluation/context.js';
import {
  allFlagsAnswer,
  type EnvironmentAt,
  explainedAnswer,
  flagAnswer,
} from '../../queries/evaluation/answers.js';
import { sendText } from '../http/compression.js';
import { environmentLocator, type EvaluationDeps } from './locate-environment.js';
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
} from './schemas.js';

/** Query parameters that are not attributes. */
const RESERVED = ['targetingKey', 'at', 'position', 'explain'] as const;

const isReserved = (name: string): boolean => (RESERVED as readonly string[]).includes(name);

const checkText = (text: unknown): void => {
  if (typeof text === 'string' && text.includes('\u0000'))
    throw new DomainError('invalid-request', 'An attribute contains the character U+0000.');
};

/**
 * A context from a query string: every parameter but the reserved ones is an attribute. A query has no types, so
 * all are strings (send the context with POST where types matter); a parameter given twice is a list of strings.
 * @throws DomainError `invalid-request`
 */
const contextFromQuery = (
  query: Readonly<Record<string, unknown>> & Readonly<{ targetingKey?: string }>,
): Context => {
  const attributes: Record<string, unknown> = {};
  for (const name in query) {
    const value = query[name];
    if (Array.isArray(value)) value.forEach(checkText);
    else checkText(value);
    // Assigning to __proto__ would set the prototype instead of an attribute.
    if (!isReserved(name) && name !== '__proto__') attributes[name] = value;
  }
  return { targetingKey: query.targetingKey, attributes, nowMs: Date.now() };
};

/** A context in OpenFeature's shape: attributes of any type, and the targeting key among them. */
const contextFromBody = (
  context: Readonly<Record<string, unknown>> & Readonly<{ targetingKey?: string }>,
): Context => ({
  targetingKey: context.targetingKey,
  attributes: context,
  nowMs: Date.now(),
});

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
