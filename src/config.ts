import { isIP } from 'node:net';
import { type Static, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import {
  ENCODED_LOGIN,
  InvalidConnectionString,
} from './infrastructure/kurrent/connection-options.js';
import { parseConnectionString } from './infrastructure/kurrent/connection-string.js';

/** `10/s`, `5/min`, with a larger burst `10/s:300`, or `off`. */
const RateLimit = Type.String({ pattern: '^(off|[1-9]\\d{0,6}/(s|min)(:[1-9]\\d{0,6})?)$' });

/** Where this service sends something, or asks: over TLS, or without it on this machine; no user or password in it. */
const OutgoingUrl = Type.String({
  pattern:
    '^(https://[^\\s/?#@\\\\]+|http://(localhost|127\\.0\\.0\\.1|\\[::1\\])(:\\d+)?)([/?#]\\S*)?$',
});

/** A number, or `off`. */
const Quota = Type.String({ pattern: '^(off|0|[1-9]\\d{0,14})$' });

const Config = Type.Object(
  {
    /** What this process does: serve HTTP, write the read model, run jobs, or all of it. */
    role: Type.Union([
      Type.Literal('all'),
      Type.Literal('api'),
      Type.Literal('projector'),
      Type.Literal('worker'),
    ]),
    port: Type.Integer({ minimum: 0, maximum: 65_535 }),
    host: Type.String({ minLength: 1 }),
    /** Everything that the local stack keeps, and the rulesets' copy on disk. */
    dataDirectory: Type.String({ minLength: 1 }),
    /** Absent: provided locally. */
    eventStoreUrl: Type.Optional(Type.String()),
    /** Before a dot, the first part of the name of every stream. Absent: none. */
    eventStorePrefix: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_]{1,32}$' })),
    /** How long one call to the event store may take; a command has a quarter more. */
    eventStoreTimeoutMs: Type.Integer({ minimum: 100, maximum: 20_000 }),
    databaseUrl: Type.Optional(Type.String({ pattern: '^postgres(ql)?://' })),
    redisUrl: Type.Optional(Type.String({ pattern: '^rediss?://' })),
    /** Node's own variable: authorities that are trusted besides the system's. */
    extraCaFile: Type.Optional(Type.String({ minLength: 1 })),
    /** First part of every Redis key. */
    redisPrefix: Type.String({ pattern: '^[A-Za-z0-9._-]+$' }),
    /** `pretty`: for people; `json`: one object a line. */
    logFormat: Type.Union([Type.Literal('auto'), Type.Literal('json'), Type.Literal('pretty')]),
    logLevel: Type.Union(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].map((level) =>
        Type.Literal(level),
      ),
    ),
    /** Where applications reach this service: for the event streams of clients behind a proxy with a path. */
    publicUrl: Type.Optional(Type.String({ pattern: '^https?://[^?#\\s]+[^/?#\\s]$' })),
    /** Origins of web pages that may evaluate, separated by commas; `*`: all. */
    allowedOrigins: Type.String({ pattern: '^(\\*|https?://[^,/\\s]+(,https?://[^,/\\s]+)*)$' }),
    /** Lets a monitor read /metrics, and nothing else. */
    metricsToken: Type.Optional(Type.String({ minLength: 16 })),
    /** How long a stopping process goes on answering while load balancers learn that it leaves. */
    drainMs: Type.Integer({ minimum: 0, maximum: 60_000 }),
    /** Where flagd's in-process providers follow environments. Absent: nowhere. */
    flagdSyncPort: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
    /** PEM files. Absent: without encryption. */
    flagdSyncCertificate: Type.Optional(Type.String({ minLength: 1 })),
    flagdSyncPrivateKey: Type.Optional(Type.String({ minLength: 1 })),
    /** PEM file of the Ed25519 key that signs audit checkpoints. Absent: made once, in the data directory. */
    auditSigningKey: Type.Optional(Type.String({ minLength: 1 })),
    /** A checkpoint is signed after so many events of an organization. */
    auditCheckpointEvents: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
    /** Outside of this installation: a file that every checkpoint is appended to, a URL that it is posted to. */
    auditCheckpointFile: Type.Optional(Type.String({ minLength: 1 })),
    auditCheckpointWebhook: Type.Optional(OutgoingUrl),
    /** 32 bytes in base64 that wrap all keys in the database. Absent: made once, in the data directory. */
    masterKey: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9+/]{43}=$' })),
    /** Who may register an organization: anybody, or nobody. */
    registration: Type.Union([Type.Literal('open'), Type.Literal('closed')]),
    /** A URL that invitations with their tokens are posted to, to be sent by e-mail. Absent: they are logged. */
    invitationWebhook: Type.Optional(OutgoingUrl),
    /** A new key signs access tokens after so many days. */
    signingKeyDays: Type.Integer({ minimum: 1, maximum: 365 }),
    /** An OpenID provider that people may log in with; all three, or none. */
    oidcIssuer: Type.Optional(OutgoingUrl),
    oidcClientId: Type.Optional(Type.String({ minLength: 1 })),
    oidcClientSecret: Type.Optional(Type.String({ minLength: 1 })),
    /** Proxies in front, separated by commas, as addresses or networks: the client's address is what they tell. */
    trustedProxies: Type.Optional(Type.String({ pattern: '^[0-9A-Fa-f.:/]+(,[0-9A-Fa-f.:/]+)*$' })),
    /** Open connections of this process; more are closed at once. */
    maxConnections: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
    /** Event streams that one address may have open at one process. */
    maxStreamsPerAddress: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
    rateLimitLogin: RateLimit,
    rateLimitAccount: RateLimit,
    rateLimitCommands: RateLimit,
    rateLimitTenantCommands: RateLimit,
    rateLimitQueries: RateLimit,
    rateLimitTenantQueries: RateLimit,
    rateLimitPublic: RateLimit,
    rateLimitEvaluation: RateLimit,
    rateLimitClientEvaluation: RateLimit,
    rateLimitRefusals: RateLimit,
    /** For an organization; flags and segments: for a project. */
    quotaProjects: Quota,
    quotaMembers: Quota,
    quotaTokens: Quota,
    quotaKeys: Quota,
    quotaFlags: Quota,
    quotaSegments: Quota,
    quotaBytes: Quota,
    /** For all organizations together. Absent: a part of the heap. */
    quotaInstallationBytes: Type.Optional(Quota),
  },
  { additionalProperties: false },
);

export type Config = Readonly<Static<typeof Config>>;

/** Which environment variable has which setting. */
export const VARIABLES: Readonly<Record<keyof Config, string>> = {
  role: 'ROLE',
  port: 'PORT',
  host: 'HOST',
  dataDirectory: 'DATA_DIRECTORY',
  eventStoreUrl: 'EVENTSTORE_URL',
  eventStorePrefix: 'EVENTSTORE_PREFIX',
  eventStoreTimeoutMs: 'EVENTSTORE_TIMEOUT_MS',
  extraCaFile: 'NODE_EXTRA_CA_CERTS',
  databaseUrl: 'DATABASE_URL',
  redisUrl: 'REDIS_URL',
  redisPrefix: 'REDIS_PREFIX',
  logLevel: 'LOG_LEVEL',
  logFormat: 'LOG_FORMAT',
  publicUrl: 'PUBLIC_URL',
  allowedOrigins: 'ALLOWED_ORIGINS',
  metricsToken: 'METRICS_TOKEN',
  drainMs: 'DRAIN_MS',
  flagdSyncPort: 'FLAGD_SYNC_PORT',
  flagdSyncCertificate: 'FLAGD_SYNC_CERTIFICATE',
  flagdSyncPrivateKey: 'FLAGD_SYNC_PRIVATE_KEY',
  auditSigningKey: 'AUDIT_SIGNING_KEY',
  auditCheckpointEvents: 'AUDIT_CHECKPOINT_EVENTS',
  auditCheckpointFile: 'AUDIT_CHECKPOINT_FILE',
  auditCheckpointWebhook: 'AUDIT_CHECKPOINT_WEBHOOK',
  masterKey: 'MASTER_KEY',
  registration: 'REGISTRATION',
  invitationWebhook: 'INVITATION_WEBHOOK',
  signingKeyDays: 'SIGNING_KEY_DAYS',
  oidcIssuer: 'OIDC_ISSUER',
  oidcClientId: 'OIDC_CLIENT_ID',
  oidcClientSecret: 'OIDC_CLIENT_SECRET',
  trustedProxies: 'TRUSTED_PROXIES',
  maxConnections: 'MAX_CONNECTIONS',
  maxStreamsPerAddress: 'MAX_STREAMS_PER_ADDRESS',
  rateLimitLogin: 'RATE_LIMIT_LOGIN',
  rateLimitAccount: 'RATE_LIMIT_ACCOUNT',
  rateLimitCommands: 'RATE_LIMIT_COMMANDS',
  rateLimitTenantCommands: 'RATE_LIMIT_TENANT_COMMANDS',
  rateLimitQueries: 'RATE_LIMIT_QUERIES',
  rateLimitTenantQueries: 'RATE_LIMIT_TENANT_QUERIES',
  rateLimitPublic: 'RATE_LIMIT_PUBLIC',
  rateLimitEvaluation: 'RATE_LIMIT_EVALUATION',
  rateLimitClientEvaluation: 'RATE_LIMIT_CLIENT_EVALUATION',
  rateLimitRefusals: 'RATE_LIMIT_REFUSALS',
  quotaProjects: 'QUOTA_PROJECTS',
  quotaMembers: 'QUOTA_MEMBERS',
  quotaTokens: 'QUOTA_TOKENS',
  quotaKeys: 'QUOTA_KEYS',
  quotaFlags: 'QUOTA_FLAGS',
  quotaSegments: 'QUOTA_SEGMENTS',
  quotaBytes: 'QUOTA_BYTES',
  quotaInstallationBytes: 'QUOTA_INSTALLATION_BYTES',
};

const DEFAULTS = {
  role: 'all',
  port: 3000,
  host: '127.0.0.1',
  dataDirectory: '.data',
  eventStoreTimeoutMs: 2_000,
  redisPrefix: 'chronoflag',
  logLevel: 'info',
  logFormat: 'auto',
  allowedOrigins: '*',
  drainMs: 0,
  auditCheckpointEvents: 1_000,
  signingKeyDays: 30,
  registration: 'open',
  maxConnections: 30_000,
  maxStreamsPerAddress: 1_000,
  rateLimitLogin: '5/min',
  rateLimitAccount: '1/min:20',
  rateLimitCommands: '10/s:300',
  rateLimitTenantCommands: '50/s:1000',
  rateLimitQueries: '100/s:1000',
  rateLimitTenantQueries: '500/s:5000',
  rateLimitPublic: '50/s:1000',
  rateLimitEvaluation: '20000/s:40000',
  rateLimitClientEvaluation: '2000/s:10000',
  rateLimitRefusals: '1/s:30',
  quotaProjects: '100',
  quotaMembers: '1000',
  quotaTokens: '1000',
  quotaKeys: '1000',
  quotaFlags: '5000',
  quotaSegments: '1000',
  quotaBytes: '128000000',
};

/** A variable is wrong; the message names it and says what it must be, never what it was (it may be a secret). */
export class InvalidConfig extends Error {
  override readonly name = 'InvalidConfig';
}

const isNetwork = (text: string): boolean => {
  const [address = '', bits, ...more] = text.split('/');
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return more.length === 0 && most >= 0 && Number(bits ?? 0) <= most && bits !== '';
};

/** The conversion of texts would cut a fraction off. @throws InvalidConfig */
const requireWholeNumber = (key: keyof Config, text: string): void => {
  if (Config.properties[key].type === 'integer' && !/^-?\d{1,15}$/.test(text))
    throw new InvalidConfig(explain(`/${key}`, 'Expected a whole number'));
};

const isConfigKey = (key: string): key is keyof Config => Object.hasOwn(VARIABLES, key);

/** Few characters, again and again. */
const isWeak = (secret: string): boolean => new Set(secret).size < 8;

/** @throws InvalidConfig */
const requireEventStoreUrl = (url: string): void => {
  try {
    parseConnectionString(url);
  } catch (error) {
    if (!(error instanceof InvalidConnectionString)) throw error;
    throw new InvalidConfig(explain('/eventStoreUrl', error.message));
  }
};

/** What cannot be read, or has its @ behind the host, holds a login that was not encoded. @throws InvalidConfig */
const requireEncodedUrl = (key: 'databaseUrl' | 'redisUrl', url: string): void => {
  const isRead = URL.canParse(url);
  const { pathname, search, hash } = new URL(isRead ? url : 'invalid:');
  if (!isRead || `${pathname}${search}${hash}`.includes('@'))
    throw new InvalidConfig(explain(`/${key}`, ENCODED_LOGIN));
};

const explain = (path: string, message: string): string => {
  const key = path.slice(1);
  return `${isConfigKey(key) ? VARIABLES[key] : path}: ${message}`;
};

/** What no pattern can say. @throws InvalidConfig */
const requireUsable = ({ eventStoreUrl, metricsToken, trustedProxies, ...urls }: Config): void => {
  if (metricsToken !== undefined && isWeak(metricsToken))
    throw new InvalidConfig(explain('/metricsToken', 'Expected something that cannot be guessed'));
  if (trustedProxies?.split(',').every(isNetwork) === false)
    throw new InvalidConfig(explain('/trustedProxies', 'Expected addresses or networks'));
  if (eventStoreUrl !== undefined) requireEventStoreUrl(eventStoreUrl);
  for (const key of ['databaseUrl', 'redisUrl'] as const)
    if (urls[key] !== undefined) requireEncodedUrl(key, urls[key]);
};

/**
 * The configuration from environment variables; .env.example lists them. The only reader of the environment.
 * @throws InvalidConfig
 */
export const loadConfig = (environment: NodeJS.ProcessEnv): Config => {
  const given = Object.entries(VARIABLES)
    .map(([key, variable]) => [key, environment[variable]] as const)
    .filter(([, value]) => value !== undefined && value !== '');
  for (const [key, value = ''] of given) requireWholeNumber(key as keyof Config, value);
  const config = Value.Convert(Config, { ...DEFAULTS, ...Object.fromEntries(given) });
  const [wrong] = Value.Errors(Config, config);
  if (wrong !== undefined) throw new InvalidConfig(explain(wrong.path, wrong.message));
  const decoded = Value.Decode(Config, config);
  requireUsable(decoded);
  return Object.freeze(decoded);
};
