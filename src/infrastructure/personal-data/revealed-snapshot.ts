import { sealedTexts } from '../../domain/personal/sealed-text.js';
import { type Position } from '../../domain/position.js';
import { organizationOf } from '../../domain/streams.js';
import {
  type CurrentStates,
  type Entries,
  type SnapshotDelta,
  type SnapshotWrite,
} from '../../projections/evaluation-snapshot.js';
import { type PersonalData } from './personal-data.js';

/** What evaluating processes are given is in the clear, so that they need no keys. */
export type SnapshotReveal = Readonly<{
  contents: (contents: ReadonlyMap<string, Entries>) => Promise<ReadonlyMap<string, Entries>>;
  delta: (delta: SnapshotDelta) => Promise<SnapshotDelta>;
}>;

/** What the projector to Redis needs of personal data. */
export type PersonalSnapshot = SnapshotReveal &
  Readonly<{
    /** Log position of the last known erasure; -1 without one. What Redis held before it is not to be trusted. */
    lastErasure: () => Promise<Position>;
    forget: () => void;
  }>;

/** A sealed text as a JSON value: it has nothing that JSON escapes. */
const SEALED_IN_JSON = /"pd1:[A-Za-z0-9_-]+"/g;

type Texts = ReadonlyMap<string, string | null>;

/** Opens personal texts in what becomes of the evaluation snapshot. */
export const revealedSnapshot = ({ opener, revealed }: PersonalData): SnapshotReveal => {
  const texts = async <T extends Texts>(environment: string, entries: T): Promise<T> => {
    const found = [...entries.values()].flatMap((json) => json?.match(SEALED_IN_JSON) ?? []);
    if (found.length === 0) return entries;
    const open = await opener(
      organizationOf(environment),
      sealedTexts(found.map((text) => text.slice(1, -1))),
    );
    const inClear = (json: string): string =>
      json.replace(SEALED_IN_JSON, (text) => JSON.stringify(open(text.slice(1, -1))));
    const opened = [...entries].map(([name, json]) => [name, json && inClear(json)] as const);
    return new Map(opened) as Texts as T;
  };

  const write = async (one: SnapshotWrite): Promise<SnapshotWrite> => {
    const { environment } = one;
    if ('entries' in one) return { environment, entries: await texts(environment, one.entries) };
    return { environment, fill: one.fill && (await texts(environment, one.fill)) };
  };

  return {
    contents: async (contents) => {
      const opened = new Map<string, Entries>();
      for (const [environment, entries] of contents)
        opened.set(environment, await texts(environment, entries));
      return opened;
    },
    delta: async ({ changes, writes }) => ({
      changes: await Promise.all(
        changes.map((change) => revealed(organizationOf(change.environment), change)),
      ),
      writes: await Promise.all(writes.map(write)),
    }),
  };
};

/** Current states with their personal texts opened, for those who evaluate without Redis. */
export const revealedStates =
  (load: () => Promise<CurrentStates>, { revealed }: PersonalData) =>
  async (): Promise<CurrentStates> => {
    const states = await load();
    const open = <Row extends Readonly<{ projectId: string }>>(rows: readonly Row[]) =>
      Promise.all(rows.map((row) => revealed(organizationOf(row.projectId), row)));
    const [flags, segments] = [await open(states.flags), await open(states.segments)];
    return { ...states, flags, segments };
  };
