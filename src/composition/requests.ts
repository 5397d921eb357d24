import { type Logger } from 'pino';
import { parseBudget } from '../api/limits/buckets.js';
import { type Budgets, type Limits } from '../api/limits/limit-requests.js';
import { eventStreams } from '../api/ofrep/event-streams.js';
import { ofrepRoutes } from '../api/ofrep/routes.js';
import { type EventStore } from '../commands/streams/event-store.js';
import { type Config } from '../config.js';
import { type Position } from '../domain/position.js';
import { apiTokens, startApplicationKeys } from '../identity/keys.js';
import { organizationsOver } from '../identity/organizations.js';
import { personalRequests } from '../identity/personal-requests.js';
import { type KeyPlace } from '../identity/ports.js';
import { credentialStore } from '../infrastructure/keys/api-tokens.js';
import { type MasterKey } from '../infrastructure/keys/master-key.js';
import { type KurrentConnection } from '../infrastructure/kurrent/connection.js';
import { kurrentEventLog } from '../infrastructure/kurrent/event-log.js';
import { revealingDatabase } from '../infrastructure/personal-data/personal-event-store.js';
import { revealedSnapshot } from '../infrastructure/personal-data/revealed-snapshot.js';
import { commandKeys } from '../infrastructure/postgres/command-keys.js';
import { createPool, databaseOn, LOCKS, whileLocked } from '../infrastructure/postgres/postgres.js';
import { compileRegex } from '../infrastructure/re2-regex-compiler.js';
import { redisBuckets } from '../infrastructure/redis/buckets.js';
import { compareStreams } from '../projections/verify/compare-streams.js';
import { rulesetsAt } from '../queries/evaluation/rulesets-at.js';
import {
  afterCatchUp,
  firstCatchUp,
  recordedAtPosition,
  waitForPosition,
} from '../queries/moments.js';
import { environmentIn } from '../queries/projects.js';
import { queriesOver } from '../queries/queries.js';
import { auditKey, auditTrail, checkpointPlaces } from './audit-trail.js';
import { startAuthentication, startGrants } from './authentication.js';
import { startEvaluation, startSync } from './evaluation.js';
import { type StartedPersonalData } from './personal-data.js';
import { openQuotas } from './quotas.js';
import { refusedCommands } from './refused-commands.js';
import { routesOf } from './request-routes.js';
import { type ServiceEvents } from './service-events.js';
import { type Services } from './services.js';
import { openSnapshots } from './snapshots.js';
import { writeSide } from './write-side.js';

const budgetsOf = (config: Config): Budgets => ({
  login: parseBudget(config.rateLimitLogin),
  account: parseBudget(config.rateLimitAccount),
  commands: parseBudget(config.rateLimitCommands),
  tenantCommands: parseBudget(config.rateLimitTenantCommands),
  queries: parseBudget(config.rateLimitQueries),
  tenantQueries: parseBudget(config.rateLimitTenantQueries),
  public: parseBudget(config.rateLimitPublic),
  evaluation: parseBudget(config.rateLimitEvaluation),
  clientEvaluation: parseBudget(config.rateLimitClientEvaluation),
  refusals: parseBudget(config.rateLimitRefusals),
});

/** The configured limits, over buckets in Redis. */
const openLimits = (
  config: Config,
  redisUrl: string,
): Readonly<{ limits: Limits; close: () => void }> => {
  const { take: takeShared, close } = redisBuckets(redisUrl, config.redisPrefix);
  return { limits: { budgets: budgetsOf(config), takeShared }, close };
};

type RequestSources = Readonly<{
  connection: KurrentConnection;
  personal: StartedPersonalData;
  /** With personal texts as they are in the log. */
  sealed: EventStore;
  log: Logger;
  masterKey: MasterKey;
  events: ServiceEvents;
  /** Called when it is known that events are skipped. */
  onSkipped: (listener: () => void) => void;
}>;

const organizationSettings = ({ publicUrl, host, port, ...config }: Config) => ({
  acceptUrl: `${publicUrl ?? `http://${host}:${port}`}/api/v1/invitations/accept`,
  invitationWebhook: config.invitationWebhook,
  isRegistrationOpen: config.registration === 'open',
});

/** A first start waits at most this long for its own rulesets. */
const CAUGHT_UP_MS = 1_000;

/** All that answering requests needs: commands, queries, evaluation, and the routes to them. */
export const startRequests = async (
  config: Config,
  { databaseUrl, redisUrl }: Services,
  { connection, personal, sealed, log, masterKey, events, onSkipped }: RequestSources,
) => {
  const onError = (error: Error): void => {
    log.warn({ err: error }, 'a database connection broke');
  };
  const pool = createPool({ url: databaseUrl, onError });
  const eventLog = kurrentEventLog(connection);
  const { head } = eventLog;
  // A store that is away says nothing of others.
  const isOthersOnly = (after: Position, upTo: Position): Promise<boolean> =>
    eventLog.isOthersOnly(after, upTo).catch(() => false);
  // Reads and writes what is large, which may take longer than a request's statements may.
  const whole = createPool({ url: databaseUrl, use: 'maintenance', max: 4, onError });
  const { snapshots, stop: stopSnapshots } = openSnapshots({
    ...{ pool: whole, masterKey, sealed, personal, log },
  });
  const commands = writeSide(personal.store, head, snapshots);
  personal.onErased(commands.forget);
  onSkipped(commands.forget);
  const refused = refusedCommands(commands, log);
  const catchUp = firstCatchUp(pool);
  const rows = afterCatchUp(revealingDatabase(pool, personal), catchUp);
  const queries = queriesOver(rows, personal.store, {
    compareStreams: compareStreams({ database: databaseOn(pool), log: eventLog }),
    isOthersOnly,
  });
  const { memory, supply } = await startEvaluation(config, {
    ...{ redisUrl, pool, personal, log },
    hasCaughtUp: catchUp.isOver,
  });
  const requireEnvironment = async (place: KeyPlace): Promise<void> => {
    const now = await queries.resolveMoment({});
    environmentIn(await queries.sources['read-model'].project(place, now), place.environment);
  };
  const credentials = credentialStore(pool);
  const { takeUses: tokenUses } = credentials;
  const keys = await startApplicationKeys(config.dataDirectory, {
    ...{ pool, handle: commands.apiKeys, requireEnvironment, log, tokenUses },
  });
  const grants = await startGrants(pool);
  const limits = openLimits(config, redisUrl);
  const authentication = await startAuthentication(config, {
    ...{ pool, redisUrl, masterKey, commands, events, log },
    grantsOf: grants.grantsOf,
    limits: limits.limits,
  });
  const { accounts } = authentication;
  const usedKeys = commandKeys(pool, masterKey, log);
  const organizations = organizationsOver(organizationSettings(config), {
    ...{ usedKeys, pool, commands, grants, accounts, masterKey, log },
  });
  const streams = eventStreams({ memory, find: keys.find, onKeysChanged: keys.subscribe });
  const flagdSync = await startSync(config, { memory, keys });
  const evaluation = {
    memory,
    rulesetsAt: rulesetsAt(
      queries.sources['read-model'],
      queries.resolveMoment,
      recordedAtPosition(pool),
    ),
    compileRegex,
    isOthersOnly,
  };
  const trail = auditTrail({
    ...{ pool: whole, redisUrl, log: eventLog, reveal: revealedSnapshot(personal) },
    prefix: config.redisPrefix,
    key: await auditKey(config),
    places: checkpointPlaces(config),
  });
  const quotas = openQuotas(config, whole, log);
  const persons = personalRequests({
    ...{ databaseUrl, personal, queries, head },
    rulesetsAt: () => memory.current()?.position ?? null,
  });
  const routes = routesOf({
    ...{ authentication, persons, organizations, commands, queries, evaluation, keys, trail },
    quotas,
    head,
    apiTokens: apiTokens(commands.apiKeys, credentials),
  });
  return {
    commands,
    credentials,
    keys,
    authentication,
    routes,
    ofrep: ofrepRoutes({
      memory,
      streams,
      find: keys.find,
      sign: keys.sign,
      publicUrl: config.publicUrl,
      limits: { perAddress: config.maxStreamsPerAddress },
    }),
    noteRefusal: refused.note,
    commandKeys: usedKeys,
    limits: limits.limits,
    quotas,
    eventStreams: streams.count,
    flagdSyncPort: flagdSync?.port,
    rulesets: supply.status,
    /** Waits, for a moment at most, until queries and evaluations see all that is in the log now. */
    caughtUp: async (): Promise<void> => {
      const position = await head();
      await waitForPosition(pool, { isOthersOnly })(position).catch(() => undefined);
      await memory.waitForPosition(position, CAUGHT_UP_MS);
    },
    /** Runs what only one process may do at a time. */
    oneByOne: <T>(work: () => Promise<T>): Promise<T> => whileLocked(pool, LOCKS.firstStart, work),
    catchUp,
    /** Rejects when Postgres does not answer. */
    askPostgres: (): Promise<unknown> => pool.query('select 1'),
    stop: async (): Promise<void> => {
      await stopSnapshots();
      await whole.end();
      await refused.stop();
      await flagdSync?.stop();
      await persons.stop();
      limits.close();
      await supply.close();
      await keys.close();
      await authentication.stop();
      await grants.close();
      await pool.end();
    },
  };
};

export type Requests = Awaited<ReturnType<typeof startRequests>>;
