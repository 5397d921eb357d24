import { randomUUID } from 'node:crypto';
import { type IncomingMessage } from 'node:http';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyPluginAsync,
  LogController,
} from 'fastify';
import { type CommandKeys } from '../commands/command-keys.js';
import { authorizeRequests } from './access/authorize.js';
import { requirePermissions } from './access/declared-permissions.js';
import { describeRequests, type Guard, guardRoutes } from './caller.js';
import { acceptJson } from './edge/accept-json.js';
import { answerBrokenConnection, answerBrokenPath } from './edge/broken-requests.js';
import { compressAnswers } from './edge/compression.js';
import { allowOrigins } from './edge/cors.js';
import { noteRefusedCommands, type NoteRefusal } from './edge/refused-commands.js';
import { answerNotModified } from './edge/not-modified.js';
import { refuseNul } from './edge/clean-url.js';
import { cleanForwardedFor } from './edge/forwarded-for.js';
import { documentRoutes } from './edge/documentation.js';
import { shedLoad, type ShedFrom } from './edge/load-shedding.js';
import { secureHeaders } from './edge/security-headers.js';
import { answerUnknownRoutes } from './edge/unknown-routes.js';
import { guessLimit } from './limits/guesses.js';
import { limitRequests } from './limits/limit-requests.js';
import { type Limits } from './limits/limits.js';
import { enforceQuotas, type Quotas } from './limits/quotas.js';
import { sendProblem } from './send-problem.js';
import { compileValidator } from './validation.js';
import { BATCH_TIMEOUT_MS } from './routes/flag-batch.js';

/** More connections than `most` are closed at once; each is closed after `requests` requests. */
export type Connections = Readonly<{ most: number; requests: number }>;

const CONNECTIONS: Connections = { most: 30_000, requests: 100_000 };

export type AppDeps = Readonly<{
  log: FastifyBaseLogger;
  guard: Guard;
  /** Adds hooks, before any route. */
  prepare?: (app: FastifyInstance) => void;
  /** Routes under /api/v1. */
  routes: readonly FastifyPluginAsync[];
  /** Routes under /ofrep, whose errors have shapes of their own. */
  ofrep?: FastifyPluginAsync | undefined;
  /** Of web pages that may evaluate; `*`: all. @defaultValue all */
  allowedOrigins?: readonly string[] | undefined;
  /** Whether any environment with origins of its own has this one. @defaultValue none has */
  allowsOrigin?: ((origin: string) => boolean) | undefined;
  /** Absent: none. */
  limits?: Limits | undefined;
  /** Absent: none. */
  quotas?: Quotas | undefined;
  shedFrom?: ShedFrom | undefined;
  /** Of commands. Absent: a key is known only to the stream that it was used for. */
  commandKeys?: CommandKeys | undefined;
  /** How long a command may take. @defaultValue 2 500 */
  commandTimeoutMs?: number | undefined;
  /** Where clients reach this service, with any path in front of ours. */
  publicUrl?: string | undefined;
  /** Clients come over TLS only. @defaultValue false */
  isEncrypted?: boolean | undefined;
  /** Absent: refused commands are not noted. */
  noteRefusal?: NoteRefusal | undefined;
  /** Addresses and networks whose `X-Forwarded-For` and `-Proto` are believed. @defaultValue none */
  trustedProxies?: readonly string[] | undefined;
  /** @defaultValue 30 000 connections, 100 000 requests */
  connections?: Partial<Connections> | undefined;
  /** Routes at the root: health, readiness, metrics. */
  operations: readonly FastifyPluginAsync[];
  version: string;
}>;

const BODY_LIMIT = 1024 * 1024;
const COMMAND_TIMEOUT_MS = 2_500;

/** Fastify's own limits let a slow client hold a connection for ever; with these it is closed within 7 s. */
const LIMITS = {
  bodyLimit: BODY_LIMIT,
  requestTimeout: 5_000,
  // Of silence, also while an answer is made: a repeated batch waits for the first, then may take as long.
  connectionTimeout: 3 * BATCH_TIMEOUT_MS,
  keepAliveTimeout: 72_000,
  http: { headersTimeout: 3_000, connectionsCheckingInterval: 1_000 },
} as const;

const REQUEST_ID = /^[\w.:-]{1,100}$/;

const requestId = ({ headers }: { headers: Record<string, string | string[] | undefined> }) => {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
};

/** OpenFeature providers put their path behind a base URL that may end with a slash. */
const withOneSlash = ({ url = '/' }: IncomingMessage): string =>
  url.startsWith('//') ? url.slice(1) : url;

const publicPathOf = (publicUrl: string | undefined): string =>
  publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/$/, '');

/** What its routes want to know of it. */
const describeApp = (app: FastifyInstance, deps: AppDeps): void => {
  app.decorate('commandKeys', deps.commandKeys);
  app.decorate('publicPath', publicPathOf(deps.publicUrl));
  app.decorate('commandTimeoutMs', deps.commandTimeoutMs ?? COMMAND_TIMEOUT_MS);
};

/** The whole HTTP side. Every input has a schema, every error is a problem, every route is guarded unless public. */
export const buildApp = async (deps: AppDeps): Promise<FastifyInstance> => {
  const connections = { ...CONNECTIONS, ...deps.connections };
  const app = fastify({
    ...LIMITS,
    maxRequestsPerSocket: connections.requests,
    loggerInstance: deps.log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestId,
    rewriteUrl: withOneSlash,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: answerBrokenConnection,
    frameworkErrors: answerBrokenPath,
    routerOptions: { maxParamLength: 300 },
    ...(deps.trustedProxies !== undefined && { trustProxy: [...deps.trustedProxies] }),
  });
  app.server.maxConnections = connections.most;
  app.setValidatorCompiler(compileValidator);
  app.setErrorHandler(sendProblem);
  answerUnknownRoutes(app);
  requirePermissions(app);
  cleanForwardedFor(app, deps.trustedProxies);
  describeRequests(app);
  describeApp(app, deps);
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    done();
  });
  secureHeaders(app, deps.isEncrypted === true);
  noteRefusedCommands(app, deps.noteRefusal);
  deps.prepare?.(app);
  allowOrigins(app, deps);
  compressAnswers(app);
  answerNotModified(app);
  shedLoad(app, deps.shedFrom);
  refuseNul(app);
  acceptJson(app);
  const { guard, limits } = deps;
  guardRoutes(app, limits === undefined ? guard : { ...guard, guesses: guessLimit(limits) });
  if (limits !== undefined) limitRequests(app, limits);
  authorizeRequests(app);
  enforceQuotas(app, deps.quotas);
  await documentRoutes(app, deps.version, deps.publicUrl);
  for (const routes of deps.routes) await app.register(routes, { prefix: '/api/v1' });
  if (deps.ofrep !== undefined) await app.register(deps.ofrep, { prefix: '/ofrep' });
  for (const routes of deps.operations) await app.register(routes);
  return app;
};
