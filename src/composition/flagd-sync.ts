import { type Config } from '../config.js';
import { StartupError } from '../embedded/stack.js';
import { documentsOf } from '../infrastructure/flagd-sync/documents.js';
import { startFlagdSync } from '../infrastructure/flagd-sync/flagd-sync-server.js';
import { type RulesetMemory } from '../queries/rulesets/ruleset-memory.js';
import { type StartedApplicationKeys } from './application-keys.js';

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
