import { join } from 'node:path';
import { type AuditTrail } from '../api/audit/trail.js';
import { type Config } from '../config.js';
import {
  type AuditKey,
  loadSigningKey,
  type SigningKeyFile,
} from '../infrastructure/audit/signing-key.js';
import { takeCheckpoint } from '../infrastructure/audit/take-checkpoint.js';
import { type CheckpointPlaces } from '../infrastructure/audit/deliver-checkpoints.js';
import {
  checkpointDelivery,
  latestCheckpoint,
  listCheckpoints,
} from '../queries/trail/checkpoints.js';
import { proveEvent } from '../queries/trail/prove-event.js';
import { verifyTrail } from '../queries/trail/verify-trail.js';
import { type StoreSources, verifyStores } from './verify-stores.js';

/** The key in its configured file; else in the data directory, where it is made when there is none. */
export const auditKeyFile = ({ auditSigningKey, dataDirectory }: Config): SigningKeyFile =>
  auditSigningKey === undefined
    ? { file: join(dataDirectory, 'audit-signing-key.pem'), mayGenerate: true }
    : { file: auditSigningKey, mayGenerate: false };

export const auditKey = (config: Config): Promise<AuditKey> => loadSigningKey(auditKeyFile(config));

export const checkpointPlaces = (config: Config): CheckpointPlaces => ({
  file: config.auditCheckpointFile,
  webhook: config.auditCheckpointWebhook,
});

export type AuditTrailSources = StoreSources &
  Readonly<{ key: AuditKey; places: CheckpointPlaces }>;

/** Everything that proves the audit trail, over one installation's stores. */
export const auditTrail = (sources: AuditTrailSources): AuditTrail => {
  const { pool, log, key } = sources;
  const deps = { db: pool, log, key };
  const verify = verifyTrail(deps);
  const compare = verifyStores(sources);
  return {
    verify: async (asked) => ({
      ...(await verify(asked)),
      stores: await compare(asked.organizationId, asked.signal, asked.onProgress),
    }),
    prove: proveEvent(deps),
    take: takeCheckpoint(pool, key, { now: () => new Date() }),
    list: listCheckpoints(pool),
    delivery: async (organizationId) => {
      const { file, webhook } = await checkpointDelivery(pool)(organizationId);
      return {
        file: sources.places.file === undefined ? null : file,
        webhook: sources.places.webhook === undefined ? null : webhook,
      };
    },
    latest: latestCheckpoint(pool),
    key,
  };
};
