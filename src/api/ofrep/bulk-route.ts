import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type ApplicationKey } from '../../domain/organization/application-key.js';
import { configTag } from '../../queries/rulesets/config-tag.js';
import { type EnvironmentRulesets } from '../../queries/rulesets/environment-rulesets.js';
import { type RulesetMemory } from '../../queries/rulesets/ruleset-memory.js';
import { bulkAnswers, sendBulk } from './bulk-answers.js';
import { parseConfigEtag } from './streams/config-etag.js';
import { keyOf, locate } from './locate.js';
import { bodyText } from './request-body.js';
import { BULK_SCHEMA, type BulkQuery } from './schemas.js';
import { STREAM_PATH } from './streams/stream-route.js';
import { type StreamTokens } from './streams/stream-token.js';
import { namesTag } from './validators.js';

export type BulkDeps = Readonly<{
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
export const bulkRoute = (app: FastifyInstance, deps: BulkDeps, bodyLimit: number): void => {
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
