import { randomUUID } from 'node:crypto';
import { type IncomingMessage } from 'node:http';
import { Ajv, type Options } from 'ajv';
import formats from 'ajv-formats';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifySchema,
  type FastifySchemaCompiler,
  LogController,
} from 'fastify';
import { type CommandKeys } from '../../commands/streams/command-keys.js';
import { LAST_POSITION, toPosition } from '../../domain/position.js';
import { type NoteRefusal, noteRefusedCommands } from '../audit/refused-commands.js';
import { shareFairly } from '../limits/fair-shares.js';
import { guessLimit } from '../limits/guesses.js';
import { limitRequests, type Limits } from '../limits/limit-requests.js';
import { enforceQuotas, type Quotas } from '../limits/quotas.js';
import { answerBrokenConnection, answerBrokenPath, cleanForwardedFor } from './broken-requests.js';
import { allowOrigins, secureHeaders } from './browsers.js';
import { describeRequests, type Guard, guardRoutes } from './caller.js';
import { BATCH_TIMEOUT_MS } from './command-route.js';
import { answerNotModified, compressAnswers } from './compression.js';
import { documentRoutes } from './documentation.js';
import { acceptJson, refuseNul } from './json-body.js';
import { type ShedFrom, shedLoad } from '../limits/load-shedding.js';
import { authorizeRequests, requirePermissions } from './permissions.js';
import { answerUnknownRoutes, sendProblem } from './send-problem.js';

/** Nothing is dropped, guessed or rewritten on the way in. */
const STRICT: Options = {
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: true,
  allErrors: false,
  strict: true,
  strictTypes: false,
  keywords: ['kind'],
};

const bodies = new Ajv(STRICT);

/**
 * Paths, queries and headers are text: "5" is a number and "true" a boolean where the schema says so.
 * With strict numbers a limit would not be looked at for 400 digits, which become Infinity.
 */
const texts = new Ajv({ ...STRICT, coerceTypes: 'array', strictNumbers: false });

formats.default(bodies);
formats.default(texts);

/**
 * Whole numbers in paths, queries and headers are digits: " 1", "1e2" and "1.0" would pass for numbers, as they do in
 * JavaScript. The one keyword that is looked at before texts become numbers is one of the object around them.
 */
const DIGITS = /^-?\d+$/;

type Validate = ReturnType<FastifySchemaCompiler<FastifySchema>>;
type Property = Readonly<{ type?: string; format?: string; anyOf?: readonly Property[] }>;
type Given = Record<string, unknown>;

const named = (schema: object, isWanted: (property: Property) => boolean): readonly string[] =>
  Object.entries((schema as { properties?: Record<string, Property> }).properties ?? {})
    .filter(([, property]) => isWanted(property))
    .map(([name]) => name);

const refusing = (validate: Validate, name: string, message: string): false => {
  const fault = { keyword: 'type', instancePath: `/${name}`, schemaPath: '', params: {} };
  validate.errors = [{ ...fault, message }];
  return false;
};

const isPositionSchema = ({ format, anyOf = [] }: Property): boolean =>
  format === 'int64' || anyOf.some(isPositionSchema);

type Digits = readonly Readonly<{ name: string; text: string }>[];

const NO_DIGITS: Digits = [];

/** Those of the named values that are digits; almost no request has any. A body that is missing is null. */
const digitsIn = (data: Readonly<Given> | null, names: readonly string[]): Digits => {
  if (data === null || names.every((name) => data[name] === undefined)) return NO_DIGITS;
  return names.flatMap((name) => {
    const text = data[name];
    return typeof text === 'string' && DIGITS.test(text) ? [{ name, text }] : [];
  });
};

/**
 * Reads the digits of log positions exactly, where a double would not hold them. Bodies stay what was sent, of which
 * commands are a hash.
 */
const withPositions = (schema: object, validate: Validate, isText: boolean): Validate => {
  const names = named(schema, isPositionSchema);
  if (names.length === 0) return validate;
  const exactly: Validate = (data: Given) => {
    const digits = digitsIn(data, names);
    const beyond = digits.find(({ text }) => BigInt(text) > LAST_POSITION);
    if (beyond !== undefined)
      return refusing(exactly, beyond.name, `must be at most ${LAST_POSITION}`);
    const isValid = validate(data);
    exactly.errors = validate.errors ?? null;
    if (isValid === true && isText)
      for (const { name, text } of digits) data[name] = toPosition(text);
    return isValid;
  };
  return exactly;
};

const compileTexts = (schema: object): Validate => {
  const validate = texts.compile(schema) as Validate;
  const integers = named(schema, ({ type }) => type === 'integer');
  if (integers.length === 0) return validate;
  const digitsOnly: Validate = (data: Readonly<Given>) => {
    const isOther = (name: string): boolean =>
      typeof data[name] === 'string' && !DIGITS.test(data[name]);
    const other = integers.find(isOther);
    if (other === undefined) {
      const isValid = validate(data);
      digitsOnly.errors = validate.errors ?? null;
      return isValid;
    }
    return refusing(digitsOnly, other, 'must be a whole number, in digits');
  };
  return digitsOnly;
};

/** Compiles a route's schemas: strict for bodies, from text for everything else. */
const compileValidator: FastifySchemaCompiler<FastifySchema> = ({ schema, httpPart }) =>
  httpPart === 'body'
    ? withPositions(schema, bodies.compile(schema) as Validate, false)
    : withPositions(schema, compileTexts(schema), true);

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
  /** Origins of web pages that may evaluate; `*`: all. @defaultValue all */
  allowedOrigins?: readonly string[] | undefined;
  /** Whether any environment with origins of its own has this one. @defaultValue none has */
  allowsOrigin?: ((origin: string) => boolean) | undefined;
  /** Absent: none. */
  limits?: Limits | undefined;
  /** Absent: none. */
  quotas?: Quotas | undefined;
  shedFrom?: ShedFrom | undefined;
  /** Idempotency-Keys of commands. Absent: a key is known only to the stream that it was used for. */
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
  // Silence, also while an answer is made: a repeated batch waits for the first, then may take as long.
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
  shareFairly(app);
  await documentRoutes(app, deps.version, deps.publicUrl);
  for (const routes of deps.routes) await app.register(routes, { prefix: '/api/v1' });
  if (deps.ofrep !== undefined) await app.register(deps.ofrep, { prefix: '/ofrep' });
  for (const routes of deps.operations) await app.register(routes);
  return app;
};
