import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { repeat, withDeadline } from '../waiting.js';
import { type KeyMemory } from './application-key-memory.js';
import { type KeyRow, type KeyTable } from './application-key-table.js';
import { sha256 } from './secrets.js';

/** Raised when older code could no longer read what newer code writes. */
const FORMAT = 1;

type Stored = Omit<KeyRow, 'sha256' | 'expiresAt' | 'previousSha256' | 'previousUntil'> &
  Readonly<{
    sha256: string;
    expiresAt: number | null;
    previousSha256?: string | null;
    previousUntil?: number | null;
  }>;
type Content = Readonly<{ format: number; keys: readonly Stored[] }>;

const textOf = (keys: readonly KeyRow[]): string => {
  const stored = keys.map((key) => ({
    ...key,
    sha256: key.sha256.toString('hex'),
    expiresAt: key.expiresAt?.getTime() ?? null,
    previousSha256: key.previousSha256?.toString('hex') ?? null,
    previousUntil: key.previousUntil?.getTime() ?? null,
  }));
  return JSON.stringify({ format: FORMAT, keys: stored } satisfies Content);
};

/** @throws Error for anything but a whole, unaltered file of a format that we know */
const parse = (text: string): readonly KeyRow[] => {
  const [content = '', checksum] = text.split('\n');
  if (checksum !== sha256(content).toString('hex')) throw new Error('torn or altered');
  const { format, keys } = JSON.parse(content) as Content;
  if (format !== FORMAT) throw new Error(`format ${format}, not ${FORMAT}`);
  return keys.map(({ expiresAt, previousSha256 = null, previousUntil = null, ...key }) => ({
    ...key,
    sha256: Buffer.from(key.sha256, 'hex'),
    expiresAt: expiresAt === null ? null : new Date(expiresAt),
    previousSha256: previousSha256 === null ? null : Buffer.from(previousSha256, 'hex'),
    previousUntil: previousUntil === null ? null : new Date(previousUntil),
  }));
};

const writeSynced = async (path: string, text: string): Promise<void> => {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
};

/**
 * The keys in a file of their own, for a start with everything away: one line of JSON and its SHA-256 (hex). Only the
 * owner can read it, and a new one replaces the old one atomically.
 */
export const keyFile = (path: string) => ({
  /** Undefined when there is none. @throws when it cannot be used */
  load: async (): Promise<readonly KeyRow[] | undefined> => {
    try {
      return parse(await readFile(path, 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  },

  /** @throws when the file system refuses; the file that was there stays */
  save: async (keys: readonly KeyRow[]): Promise<void> => {
    await mkdir(dirname(path), { recursive: true });
    const fresh = `${path}.${randomUUID()}.new`;
    const content = textOf(keys);
    try {
      await writeSynced(fresh, `${content}\n${sha256(content).toString('hex')}\n`);
      await rename(fresh, path);
    } finally {
      await rm(fresh, { force: true });
    }
  },
});

type KeyFile = ReturnType<typeof keyFile>;

/** Worst-case delay until a key revoked in another process stops working here. */
const POLL_MS = 400;
const POSTGRES_MS = 2_000;
const RECORD_USES_MS = 30_000;

type Log = Readonly<Record<'warn', (details: object, message: string) => void>>;

type KeySupplyOptions = Readonly<{
  memory: KeyMemory;
  table: KeyTable;
  file: KeyFile;
  log: Log;
  /** Uses of credentials besides these keys since it was last asked: key id → epoch milliseconds. */
  otherUses?: () => ReadonlyMap<string, number>;
  /** Called after every change of the keys. */
  onChange: () => void;
}>;

const inTime = <T>(answer: Promise<T>): Promise<T> =>
  withDeadline(answer, POSTGRES_MS, () => new Error('Postgres did not answer in time.'));

/**
 * Keeps the keys in memory as they are in Postgres; while that is away those that were known go on counting, also
 * after a start, from the file.
 */
export const keySupply = ({
  memory,
  table,
  file,
  log,
  otherUses = () => new Map(),
  onChange,
}: KeySupplyOptions) => {
  const closing = new AbortController();
  let held: string | undefined;
  let refreshing: Promise<void> = Promise.resolve();
  let saving: Promise<void> = Promise.resolve();
  let usesRecordedAt = Date.now();

  const copy = (keys: readonly KeyRow[]): void => {
    saving = saving
      .then(() => file.save(keys))
      .catch((error: unknown) => {
        log.warn({ err: error }, 'application keys could not be copied to disk');
      });
  };

  const refreshNow = async (): Promise<void> => {
    const version = await inTime(table.version());
    if (version === held) return;
    const keys = await inTime(table.valid());
    memory.adopt(keys);
    // Read before the keys: what was committed in between makes the next look load them again.
    held = version;
    onChange();
    copy(keys);
  };

  /** One after the other, so that a look that began earlier never overwrites a later one. */
  const refresh = (): Promise<void> => {
    refreshing = refreshing.catch(() => undefined).then(refreshNow);
    return refreshing;
  };

  const recordUses = async (): Promise<void> => {
    usesRecordedAt = Date.now();
    const uses = new Map([...memory.takeUses(), ...otherUses()]);
    if (uses.size > 0) await inTime(table.recordUses(uses));
  };

  const look = async (): Promise<void> => {
    await refresh().catch(() => undefined);
    if (Date.now() - usesRecordedAt > RECORD_USES_MS) await recordUses();
  };

  const fromFile = async (): Promise<void> => {
    const keys = await file.load().catch((error: unknown) => {
      log.warn({ err: error }, 'the copy of application keys is ignored');
      return undefined;
    });
    if (keys !== undefined && held === undefined) memory.adopt(keys);
  };

  let polling: Promise<void> | undefined;
  return {
    start: async (): Promise<void> => {
      await refresh().catch(fromFile);
      polling = repeat(look, {
        everyMs: POLL_MS,
        signal: closing.signal,
        first: 'after a pause',
      });
    },

    /** Settles when what was committed before the call counts here; never rejects: the next look will do. */
    refresh: (): Promise<void> => refresh().catch(() => undefined),

    close: async (): Promise<void> => {
      closing.abort();
      await polling;
      await recordUses().catch(() => undefined);
      await saving;
    },
  };
};
