import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sha256 } from '../secrets.js';
import { type KeyRow } from './key-table.js';

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

export type KeyFile = ReturnType<typeof keyFile>;
