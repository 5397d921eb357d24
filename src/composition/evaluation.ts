import { join } from 'node:path';
import type pg from 'pg';
import { type Logger } from 'pino';
import { type Config } from '../config.js';
import { StartupError } from '../embedded/stack/stack.js';
import { type StartedApplicationKeys } from '../identity/keys.js';
import { documentsOf } from '../infrastructure/flagd-sync/documents.js';
import { startFlagdSync } from '../infrastructure/flagd-sync/server.js';
import { revealedStates } from '../infrastructure/personal-data/revealed-snapshot.js';
import { compileRegex } from '../infrastructure/re2-regex-compiler.js';
import { redisRulesetFeed } from '../infrastructure/redis/ruleset-feed.js';
import { rulesetDiskCopy } from '../infrastructure/rulesets/disk-copy.js';
import { rulesetSupply } from '../infrastructure/rulesets/supply.js';
import { loadCurrentStates } from '../queries/evaluation/current-states.js';
import { rulesetMemory, type RulesetMemory } from '../queries/evaluation/ruleset-memory.js';
import { lastEvent } from '../queries/moments.js';
import { type StartedPersonalData } from './personal-data.js';

export const diskCopyPath = ({ dataDirectory }: Config): string =>
  join(dataDirectory, 'rulesets.jsonl');

/** The rulesets that this process evaluates with, and what keeps them current. */
export const startEvaluation = async (
  config: Config,
  {
    redisUrl,
    pool,
    hasCaughtUp,
    personal,
    log,
  }: Readonly<{
    redisUrl: string;
    pool: pg.Pool;
    hasCaughtUp: () => Promise<boolean>;
    personal: StartedPersonalData;
    log: Logger;
  }>,
) => {
  const memory = rulesetMemory({ compileRegex });
  const supply = rulesetSupply({
    memory,
    feed: redisRulesetFeed({ url: redisUrl, prefix: config.redisPrefix, memory, log }),
    loadCurrentStates: revealedStates(loadCurrentStates(pool), personal),
    lastEvent: lastEvent(pool),
    hasCaughtUp,
    diskCopy: rulesetDiskCopy(diskCopyPath(config), log),
    log,
  });
  await supply.start();
  return { memory, supply };
};

type Sources = Readonly<{ memory: RulesetMemory; keys: StartedApplicationKeys }>;

const tlsIn = ({ flagdSyncCertificate, flagdSyncPrivateKey }: Config) =>
  flagdSyncCertificate === undefined || flagdSyncPrivateKey === undefined
    ? undefined
    : { certificate: flagdSyncCertificate, privateKey: flagdSyncPrivateKey };

/**
 * flagd's sync protocol, when a port is configured for it.
 * @throws StartupError when it cannot listen there
 */
export const startSync = async (config: Config, { memory, keys }: Sources) => {
  const { host, flagdSyncPort: port } = config;
  if (port === undefined) return undefined;
  const sync = await startFlagdSync({
    host,
    port,
    tls: tlsIn(config),
    documents: documentsOf(memory),
    verifyKey: keys.verify,
    isValid: (keyId) => keys.find(keyId) !== undefined,
  }).catch((error: unknown) => {
    throw new StartupError(`FLAGD_SYNC_PORT ${port} cannot be served: ${String(error)}`);
  });
  const unsubscribe = keys.subscribe(sync.checkKeys);
  return {
    port: sync.port,
    stop: async (): Promise<void> => {
      unsubscribe();
      await sync.stop();
    },
  };
};
