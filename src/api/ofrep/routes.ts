import { createHash } from 'node:crypto';
import {
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { LRUCache } from 'lru-cache';
import { type ApplicationKey } from '../../domain/api-key.js';
import { type Context } from '../../domain/evaluation/context.js';
import { type Position } from '../../domain/position.js';
import { ofrepItem } from '../../queries/evaluation/answers.js';
import { configTag } from '../../queries/evaluation/config-tag.js';
import {
  type EnvironmentRulesets,
  evaluateAll,
} from '../../queries/evaluation/environment-rulesets.js';
import { type RulesetMemory } from '../../queries/evaluation/ruleset-memory.js';
import { sendText, sendTogether } from '../http/compression.js';
import { namesTag, parseConfigEtag } from './etags.js';
import { type EventStreams } from './event-streams.js';
import { answerUnknown, OfrepFailure, sendFailure } from './failure.js';
import { acceptText, bodyText, contextIn, keyOf, locate } from './request.js';
import { BULK_SCHEMA, type BulkQuery, SINGLE_SCHEMA } from './schemas.js';
import { eventStreamRoute, STREAM_PATH, type StreamLimits } from './stream-route.js';
import { type StreamTokens, streamTokens, type TokenDeps } from './stream-token.js';

type BulkAnswer = Readonly<{ body: string; tag: string }>;

/** Characters of requests and answers that are kept, in this process. */
const MAX_KEPT = 16 * 1024 * 1024;

const tagOf = (body: string): string => createHash('sha256').update(body).digest('base64url');

/** The same context, and whether an evaluation has looked at the time in it. */
const watchingClock = ({ targetingKey, attributes, nowMs }: Context) => {
  let isRead = false;
  const context: Context = {
    targetingKey,
    attributes,
    get nowMs() {
      isRead = true;
      return nowMs;
    },
  };
  return { context, isClockRead: () => isRead };
};

/**
 * What all flags are for the context in a body's text; the tag is of the whole answer. The same text at the same
 * environment gets the same answer, which is kept: an environment is another object after every change, and the whole
 * text is the key, so neither an old answer nor another user's can be given. An answer that
 * depends on the time is not kept. `tail`: what follows the flags.
 */
const bulkAnswers = () => {
  const kept = new LRUCache<string, BulkAnswer>({
    maxSize: MAX_KEPT,
    sizeCalculation: ({ body }, key) => body.length + key.length,
  });
  const numbers = new WeakMap<EnvironmentRulesets, number>();
  let environments = 0;

  const numberOf = (environment: EnvironmentRulesets): number => {
    const known = numbers.get(environment);
    if (known !== undefined) return known;
    environments += 1;
    numbers.set(environment, environments);
    return environments;
  };

  return (environment: EnvironmentRulesets, text: string, tail: string): BulkAnswer => {
    const key = `${numberOf(environment)} ${tail}\n${text}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    const watched = watchingClock(contextIn(text));
    const flags = evaluateAll(environment, watched.context, 'item');
    const body = `{"flags":[${flags}],"metadata":{}${tail}}`;
    const answer = { body, tag: tagOf(body) };
    if (!watched.isClockRead()) kept.set(key, answer);
    return answer;
  };
};

/** 304 when the client has this very answer, else the answer. */
const sendBulk = (
  reply: FastifyReply,
  answer: BulkAnswer,
  position: Position,
  isKnown: boolean,
): void => {
  void reply.header('etag', `"${answer.tag}"`).header('x-position', position);
  if (isKnown) sendTogether(reply.code(304));
  else sendText(reply, answer.body, answer);
};

type BulkDeps = Readonly<{
  memory: RulesetMemory;
  tokens: StreamTokens;
  /** Where browsers reach this service, with any path in front of ours; absent: where they evaluate. */
  publicUrl?: string | undefined;
}>;

/** How long a process that is behind what the client was told lets it wait. Milliseconds. */
const BEHIND_MS = 1_000;

/** After so long in the background a client closes its stream, and evaluates again when it comes back. */
const INACTIVITY_SECONDS = 120;

const tailOf =
  ({ tokens, publicUrl }: BulkDeps) =>
  (key: ApplicationKey): string => {
    const requestUri = `/ofrep${STREAM_PATH}?token=${tokens.tokenOf(key)}`;
    // Clients resolve a requestUri against the origin that they evaluate at, which is right behind most proxies.
    const place =
      publicUrl === undefined ? { endpoint: { requestUri } } : { url: publicUrl + requestUri };
    const stream = { type: 'sse', ...place, inactivityDelaySec: INACTIVITY_SECONDS };
    return `,"eventStreams":${JSON.stringify([stream])}`;
  };

/**
 * Whether a client that was told of another content than this process has must get an answer whatever it has already.
 * We tell no `lastModified`, so one that comes is of something else. OFREP ADR 0008, guideline 9.
 */
const mustAnswer = (
  { flagConfigEtag, flagConfigLastModified }: BulkQuery,
  environment: EnvironmentRulesets,
): boolean =>
  flagConfigEtag === undefined
    ? flagConfigLastModified !== undefined
    : parseConfigEtag(flagConfigEtag).tag !== configTag(environment);

type BulkRequest = FastifyRequest<{ Querystring: BulkQuery }>;

/** POST /ofrep/v1/evaluate/flags. */
const bulkRoute = (app: FastifyInstance, deps: BulkDeps, bodyLimit: number): void => {
  const { memory } = deps;
  const answers = bulkAnswers();
  const tail = tailOf(deps);

  const answer = (request: BulkRequest, reply: FastifyReply): void => {
    const key = keyOf(request);
    const { environment, position } = locate(memory, key);
    const found = answers(environment, bodyText(request), tail(key));
    const isKnown =
      namesTag(request.headers['if-none-match'], found.tag) &&
      !mustAnswer(request.query, environment);
    sendBulk(reply, found, position, isKnown);
  };

  /** A client that was told of a change by another process should get it here too. */
  const handle = (request: BulkRequest, reply: FastifyReply): void => {
    const { flagConfigEtag } = request.query;
    const told = flagConfigEtag === undefined ? -1 : parseConfigEtag(flagConfigEtag).position;
    if (told <= (memory.current()?.position ?? -1)) {
      answer(request, reply);
      return;
    }
    memory.waitForPosition(told, BEHIND_MS).then(
      () => {
        answer(request, reply);
      },
      (error: unknown) => reply.send(error),
    );
  };

  for (const [path, schema] of [
    ['/v1/evaluate/flags', BULK_SCHEMA],
    ['/v1/evaluate/flags/', { ...BULK_SCHEMA, hide: true }],
  ] as const)
    app.post<{ Querystring: BulkQuery }>(
      path,
      {
        config: { access: 'bulk-evaluation', permission: 'ofrep.evaluate' },
        bodyLimit,
        schema,
        validatorCompiler: () => () => true,
        childLoggerFactory: (logger) => logger,
      },
      handle,
    );
};

type OfrepDeps = Pick<TokenDeps, 'sign' | 'find'> &
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
