import { type Logger } from 'pino';
import { withoutSkipped } from '../commands/streams/without-skipped.js';
import { type Config } from '../config.js';
import { type Position } from '../domain/position.js';
import { type MasterKey } from '../infrastructure/keys/master-key.js';
import { type KurrentConnection } from '../infrastructure/kurrent/connection.js';
import { kurrentEventLog } from '../infrastructure/kurrent/event-log.js';
import { kurrentEventStore } from '../infrastructure/kurrent/event-store.js';
import { writability } from '../infrastructure/kurrent/probe-append.js';
import { auditKey } from './audit-trail.js';
import { type ClockWatch, watchClock } from './clock-watch.js';
import { type FirstCredentials } from './first-start.js';
import { closeHttp, createHttp, guardOf, listen } from './http.js';
import { type Jobs, startJobs } from './jobs.js';
import { serviceMetrics, VERSION } from './metrics.js';
import { type StartedPersonalData, startPersonalData } from './personal-data.js';
import {
  doneNow,
  masterKeyOf,
  migrated,
  ownLog,
  prepared,
  requireServices,
  untilDone,
} from './prepare.js';
import { type Projector, startProjector } from './projector.js';
import { readinessOf } from './readiness.js';
import { type Requests, startRequests } from './requests.js';
import { type ServiceEvents, serviceEvents } from './service-events.js';
import { connectEventStore, provideServices, type Services, stackLog } from './services.js';
import { pause } from '../infrastructure/waiting.js';

/** What was opened, closed again in reverse. */
const opened = () => {
  const closers: (() => Promise<unknown>)[] = [];
  return {
    push: (close: () => Promise<unknown>): void => {
      closers.push(close);
    },
    close: async (): Promise<void> => {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
};

export type RunningService = Readonly<{
  /** Where HTTP is. */
  url: string;
  /** There are admin credentials, and nobody has come with one. */
  isUnused: boolean;
  /** Tells the audit log that this process serves. */
  recordStart: () => Promise<void>;
  /** `cause`: told to the audit log, when the start was. */
  stop: (cause?: StopCause) => Promise<void>;
}>;

export type StopCause = Readonly<{ signal: string } | { error: string }>;

type Backends = Readonly<{
  connection: KurrentConnection;
  masterKey: MasterKey;
  personal: StartedPersonalData;
  own: ReturnType<typeof ownLog>;
}>;

type Parts = {
  requests?: Requests;
  projector?: Projector;
  jobs?: Jobs;
  head?: () => Promise<Position>;
  askWriting?: () => Promise<void>;
  own?: ReturnType<typeof ownLog>;
  isUnused?: boolean;
  events?: ServiceEvents;
  clock?: ClockWatch;
};

const isOneOf = ({ role }: Config, wanted: Config['role']): boolean =>
  role === 'all' || role === wanted;

const readinessIn = (parts: Parts, log: Logger) =>
  readinessOf(
    () => ({
      rulesets: parts.requests?.rulesets,
      projections: parts.projector?.status,
      checkpointFailures: parts.jobs?.checkpointFailures,
      verification: parts.jobs?.verification,
      clock: parts.clock?.readiness,
    }),
    () => ({
      ...parts.own?.part(),
      ...(parts.head !== undefined && { 'event-store': parts.head }),
      ...(parts.requests !== undefined && { postgres: parts.requests.askPostgres }),
      ...(parts.requests?.catchUp.isKnownOver() === false && {
        'first-catch-up': parts.requests.catchUp.require,
      }),
      ...(parts.requests !== undefined &&
        parts.askWriting !== undefined && { commands: parts.askWriting }),
    }),
    log,
  );

/** A command is a few calls to the event store, of which only one may take all of its time. */
const COMMAND_SHARE = 1.25;

/** A start that failed waits so long for what was opened to close. */
const GIVING_UP_MS = 3_000;

/**
 * One process of the service in its role, from nothing to listening. `show` is told of the first credentials as soon as
 * they exist, whatever becomes of the start: they cannot be had again.
 * @throws StartupError when something is missing that a person has to provide
 */
export const startService = async (
  config: Config,
  log: Logger,
  show: (credentials: FirstCredentials) => void,
): Promise<RunningService> => {
  const stopping = new AbortController();
  const resources = opened();
  const parts: Parts = {};
  const readiness = readinessIn(parts, log);
  const metrics = serviceMetrics({
    readiness,
    projections: () => parts.projector?.status() ?? [],
    rulesets: () => parts.requests?.rulesets(),
    eventStreams: () => parts.requests?.eventStreams() ?? 0,
    recordedAheadMs: () => parts.clock?.aheadMs() ?? 0,
    waitingCheckpoints: async () => parts.jobs?.waitingCheckpoints() ?? {},
    head: async () => parts.head?.() ?? -1,
  });

  const bringUp = async (
    services: Services,
    { connection, masterKey, personal, own }: Backends,
  ): Promise<void> => {
    await migrated(services.databaseUrl, masterKey);
    await own.require();
    const { requests: api } = parts;
    const { issued, isUnused } = api === undefined ? { isUnused: false } : await prepared(api);
    parts.isUnused = isUnused;
    if (issued !== undefined) show(issued);
    if (stopping.signal.aborted) return;
    if (isOneOf(config, 'projector')) {
      const { observeBatch: observe, countForeign } = metrics;
      parts.projector = startProjector(config, services, {
        ...{ connection, personal, log, observe, countForeign },
      });
      resources.push(parts.projector.stop);
      // The first look at a new installation must find what was just made.
      if (issued !== undefined) await api?.caughtUp();
    }
    if (isOneOf(config, 'worker')) {
      parts.jobs = await startJobs(config, services, { connection, personal, log });
      resources.push(parts.jobs.stop);
    }
  };

  const openBackends = async (): Promise<void> => {
    const isComplete = await requireServices(config, log);
    const masterKey = await masterKeyOf(config);
    const services = await provideServices(config, { log: stackLog(log), joins: false });
    resources.push(services.stop);
    const connection = connectEventStore(config, services.eventStoreUrl, log);
    parts.head = kurrentEventLog(connection).head;
    resources.push(connection.close);
    const { databaseUrl } = services;
    const writing = writability(connection);
    parts.askWriting = writing.ask;
    const watched = writing.watched(kurrentEventStore(connection));
    const { store: inner, onSkipped } = withoutSkipped(watched, () => performance.now());
    const mayOnlyRead = config.role === 'projector';
    const own = ownLog({ databaseUrl, connection, masterKey }, mayOnlyRead, inner);
    parts.own = own;
    void own.watch(stopping.signal);
    const personal = startPersonalData({ databaseUrl, log: own.store, masterKey });
    resources.push(personal.stop);
    const backends = { connection, masterKey, personal, own, onSkipped };
    const events = serviceEvents(personal.store, (error) => {
      log.warn({ err: error }, 'an event of the service was not written to the log');
    });
    parts.events = events;
    parts.clock = watchClock({ databaseUrl, events, log, signal: stopping.signal });
    const migrate = async (): Promise<void> => {
      await migrated(databaseUrl, masterKey);
      await own.require();
    };
    const isMigrated = await doneNow(migrate, { isComplete, config, log });
    if (isOneOf(config, 'api')) {
      parts.requests = await startRequests(config, services, {
        ...{ ...backends, sealed: own.store, events, log },
      });
      resources.push(parts.requests.stop);
    }
    const work = (): Promise<void> => bringUp(services, backends);
    const isDone = await doneNow(work, { isComplete: isMigrated, config, log });
    if (isDone) return;
    void untilDone(work, { what: 'preparing', log, signal: stopping.signal });
  };

  const openHttp = async (): Promise<string> => {
    const { requests } = parts;
    const {
      routes = [],
      ofrep,
      limits,
      quotas,
      noteRefusal,
      commandKeys,
    }: Partial<Requests> = requests ?? {};
    const app = await createHttp({
      log,
      version: VERSION,
      guard: {
        ...guardOf(requests),
        metricsToken: config.metricsToken,
      },
      ...{ routes, ofrep, limits, quotas, noteRefusal, commandKeys },
      keySet: requests?.authentication.keySet,
      allowedOrigins: config.allowedOrigins.split(','),
      allowsOrigin: (origin) => requests?.keys.allowsOrigin(origin) === true,
      publicUrl: config.publicUrl,
      isEncrypted: config.publicUrl?.startsWith('https:'),
      trustedProxies: config.trustedProxies?.split(','),
      connections: { most: config.maxConnections },
      commandTimeoutMs: config.eventStoreTimeoutMs * COMMAND_SHARE,
      readiness,
      isStopping: () => stopping.signal.aborted,
      metrics,
    });
    let isServing = false;
    resources.push(() => closeHttp(app, isServing ? config.drainMs : 0));
    const url = await listen(app, config);
    isServing = true;
    return url;
  };

  const stop = async (cause?: StopCause): Promise<void> => {
    stopping.abort();
    if (cause !== undefined) await parts.events?.stopped(config, cause);
    await resources.close();
  };
  try {
    await openBackends();
    const url = await openHttp();
    const recordStart = async (): Promise<void> => {
      const signs = config.role !== 'projector';
      await parts.events?.started(config, signs ? (await auditKey(config)).keyId : undefined);
    };
    return { url, isUnused: parts.isUnused === true, recordStart, stop };
  } catch (error) {
    await Promise.race([stop().catch(() => undefined), pause(GIVING_UP_MS)]);
    throw error;
  }
};
