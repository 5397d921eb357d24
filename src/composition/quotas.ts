import { getHeapStatistics } from 'node:v8';
import { LRUCache } from 'lru-cache';
import { type Logger } from 'pino';
import { type Quotas } from '../api/limits/quotas.js';
import { type Counted, usageTally, type UsageTally } from '../api/limits/usage-tally.js';
import { type Config } from '../config.js';
import { type Database } from '../queries/database.js';
import {
  heldBytes,
  installationUsage,
  organizationUsage,
  sizesOf,
  type Usage,
} from '../queries/usage.js';

/** While a process loads it a byte of configuration takes up to four: a third of the heap, beside all else. */
const HEAP_SHARE = 12;

/** For how many organizations the usage is kept between commands. */
const MAX_TALLIES = 10_000;

const limitsOf = (config: Config): Quotas['limits'] => {
  const installation =
    config.quotaInstallationBytes ??
    String(Math.floor(getHeapStatistics().heap_size_limit / HEAP_SHARE));
  const given = {
    projects: config.quotaProjects,
    members: config.quotaMembers,
    tokens: config.quotaTokens,
    keys: config.quotaKeys,
    flags: config.quotaFlags,
    segments: config.quotaSegments,
    bytes: config.quotaBytes,
    installation,
  };
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, text]) => (text === 'off' ? [] : [[name, Number(text)]])),
  );
};

const countedIn = ({ position, members, tokens, keys, projects }: Usage): Counted => ({
  position,
  amounts: new Map([
    ['members', members],
    ['tokens', tokens],
    ['keys', keys],
    ['projects', projects.filter(({ isActive }) => isActive).length],
    ['bytes', projects.reduce((sum, one) => sum + heldBytes(one), 0)],
    ...projects.flatMap(({ project, isActive, environments, flags, segments, liveBytes }) => [
      [`environments:${project}`, environments] as const,
      [`live:${project}`, liveBytes] as const,
      ...(isActive ? [[`flags:${project}`, flags] as const] : []),
      ...(isActive ? [[`segments:${project}`, segments] as const] : []),
    ]),
  ]),
});

/** The configured quotas, over what the read model holds. `db` must not cut a long count off. */
export const openQuotas = (config: Config, db: Database, log: Logger): Quotas => {
  const onError = (error: unknown): void => {
    log.warn({ err: error }, 'usage was not counted; quotas go by what was counted last');
  };
  const [ofOrganization, ofInstallation] = [organizationUsage(db), installationUsage(db)];
  const tallies = new LRUCache<string, UsageTally>({ max: MAX_TALLIES });
  const tallyOf = (organizationId: string): UsageTally => {
    const count = async () => countedIn(await ofOrganization(organizationId));
    const tally = tallies.get(organizationId) ?? usageTally(count, onError);
    tallies.set(organizationId, tally);
    return tally;
  };
  const countAll = async (): Promise<Counted> => {
    const { position, bytes } = await ofInstallation();
    return { position, amounts: new Map([['bytes', bytes]]) };
  };
  return {
    limits: limitsOf(config),
    organization: tallyOf,
    installation: usageTally(countAll, onError),
    sizesOf: sizesOf(db),
  };
};
