import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate as giveWay } from 'node:timers/promises';
import {
  type EnvironmentContents,
  type Ruleset,
  type SegmentDefinition,
} from '../../domain/evaluation/ruleset.js';
import { type Position, positionInJson, toPosition } from '../../domain/position.js';
import { type Rulesets } from '../../queries/evaluation/ruleset-memory.js';

/** Raised when older code could no longer read what newer code writes. */
const FORMAT = 1;

/** Lines that are made between two turns of the event loop. */
const LINES_AT_ONCE = 100;

/** What a copy holds, by environmentId. */
export type DiskCopy = Readonly<{
  position: Position;
  /** Epoch milliseconds at which it was written. */
  writtenAt: number;
  environments: ReadonlyMap<string, EnvironmentContents>;
}>;

type Header = { format: number; position: number | string; writtenAt: number };
type Line = { environment: string; ruleset?: Ruleset; segment?: SegmentDefinition };

type Draft = { flags: Map<string, Ruleset>; segments: Map<string, SegmentDefinition> };

const take = ({ environment, ruleset, segment }: Line, environments: Map<string, Draft>): void => {
  const draft = environments.get(environment) ?? { flags: new Map(), segments: new Map() };
  environments.set(environment, draft);
  if (ruleset !== undefined) draft.flags.set(ruleset.key, ruleset);
  if (segment !== undefined) draft.segments.set(segment.key, segment);
};

/** Tells why a file cannot be used. */
export class UnusableCopy extends Error {
  override readonly name = 'UnusableCopy';
}

/** @throws UnusableCopy for anything but a whole, unaltered copy of a format that we know */
const parseCopy = (bytes: Buffer): DiskCopy => {
  const end = bytes.lastIndexOf('\n', bytes.length - 2) + 1;
  const body = bytes.subarray(0, end);
  const checksum = createHash('sha256').update(body).digest('hex');
  if (bytes.toString('latin1', end) !== `${checksum}\n`) throw new UnusableCopy('torn or altered');
  const [first = '{}', ...lines] = body.toString().trimEnd().split('\n');
  const { format, position, writtenAt } = JSON.parse(first) as Header;
  if (format !== FORMAT) throw new UnusableCopy(`format ${format}, not ${FORMAT}`);
  const environments = new Map<string, Draft>();
  for (const line of lines) take(JSON.parse(line) as Line, environments);
  return { position: toPosition(position), writtenAt, environments };
};

const linesOf = function* ({ position, environments }: Rulesets, writtenAt: number) {
  yield JSON.stringify({
    format: FORMAT,
    position: positionInJson(position),
    writtenAt,
  } satisfies Header);
  for (const [environment, { flags, segments }] of environments) {
    yield JSON.stringify({ environment } satisfies Line);
    for (const { definition: segment } of segments.values())
      yield JSON.stringify({ environment, segment } satisfies Line);
    for (const { ruleset } of flags.values())
      yield JSON.stringify({ environment, ruleset } satisfies Line);
  }
};

/** Writes line by line, giving way to requests in between. */
const writeCopy = async (file: FileHandle, rulesets: Rulesets): Promise<void> => {
  const hash = createHash('sha256');
  let chunk = '';
  let lines = 0;
  const flush = async (): Promise<void> => {
    hash.update(chunk);
    await file.writeFile(chunk);
    chunk = '';
    await giveWay();
  };
  for (const line of linesOf(rulesets, Date.now())) {
    chunk += `${line}\n`;
    lines += 1;
    if (lines % LINES_AT_ONCE === 0) await flush();
  }
  await flush();
  await file.writeFile(`${hash.digest('hex')}\n`);
  await file.sync();
};

const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
};

/**
 * The rulesets in a file of their own, for a start without Redis and Postgres. Lines of JSON, closed by the SHA-256
 * (hex) of all bytes before it. A new copy replaces the old one atomically, and the one before stays next to it.
 */
export const rulesetDiskCopy = (
  path: string,
  log: Readonly<{ warn: (details: object, message: string) => void }>,
) => {
  const previous = `${path}.previous`;
  // A file that was found unusable must not take the place of a previous one that is good.
  let isCurrentGood = false;

  const tryLoad = async (candidate: string): Promise<DiskCopy | undefined> => {
    try {
      return parseCopy(await readFile(candidate));
    } catch (error) {
      const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!isAbsent) log.warn({ err: error, path: candidate }, 'a copy of rulesets is ignored');
      return undefined;
    }
  };

  return {
    /** The newest copy that is whole; undefined when there is none. Never throws. */
    load: async (): Promise<DiskCopy | undefined> => {
      const current = await tryLoad(path);
      isCurrentGood = current !== undefined;
      return current ?? tryLoad(previous);
    },

    /**
     * `keepsPrevious: false` leaves no copy but this one.
     * @throws when the file system refuses; the copies that were there stay
     */
    save: async (
      rulesets: Rulesets,
      { keepsPrevious = true }: Readonly<{ keepsPrevious?: boolean }> = {},
    ): Promise<void> => {
      const folder = dirname(path);
      await mkdir(folder, { recursive: true });
      const fresh = `${path}.${randomUUID()}.new`;
      try {
        const file = await open(fresh, 'wx', 0o600);
        await writeCopy(file, rulesets).finally(() => file.close());
        isCurrentGood ||= (await tryLoad(path)) !== undefined;
        if (isCurrentGood) await rename(path, previous).catch(() => undefined);
        await rename(fresh, path);
        isCurrentGood = true;
        if (!keepsPrevious) await rm(previous, { force: true });
        await syncFolder(folder);
      } finally {
        await rm(fresh, { force: true });
      }
    },

    /** Removes what writers that were killed have left. */
    sweep: async (): Promise<void> => {
      const name = path.slice(dirname(path).length + 1);
      for (const file of await readdir(dirname(path)).catch(() => []))
        if (file.startsWith(`${name}.`) && file.endsWith('.new'))
          await rm(join(dirname(path), file), { force: true });
    },
  };
};

export type RulesetDiskCopy = ReturnType<typeof rulesetDiskCopy>;
