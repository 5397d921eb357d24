import {
  type EnvironmentContents,
  type Ruleset,
  type RulesetChange,
  type SegmentDefinition,
} from '../../domain/evaluation/ruleset.js';
import { editedSegment } from '../../domain/evaluation/stored-segment.js';
import { later, type Position } from '../../domain/position.js';
import { type RulesetUpdate } from '../../queries/evaluation/ruleset-memory.js';
import {
  type ChangeEntry,
  type EnvironmentSnapshot,
  type RedisRulesetReader,
  type SnapshotHead,
} from './ruleset-reader.js';

/** The stream does not go on where we stand: trimmed, refilled or flushed. Everything has to be loaded again. */
export class StreamGap extends Error {
  override readonly name = 'StreamGap';
}

/** Where a reader stands in the change stream. */
export type Cursor = Readonly<{ lastId: string; position: Position; generation: string }>;

type EnvironmentDraft = {
  flags: Map<string, Ruleset | null>;
  segments: Map<string, SegmentDefinition | null>;
  loadedAt: Position | undefined;
};

/** What is evaluated with now. */
type KnownEnvironment = Readonly<{
  segments: ReadonlyMap<string, Readonly<{ definition: SegmentDefinition }>>;
}>;

const draftOf = (contents?: EnvironmentContents, loadedAt?: Position): EnvironmentDraft => ({
  flags: new Map(contents?.flags),
  segments: new Map(contents?.segments),
  loadedAt,
});

/** Entries that may be read in one go. */
export const ENTRIES_AT_ONCE = 500;

/**
 * An update in the making. Environments are read one by one, so each may already hold changes whose entries are
 * still to come: those entries are skipped for it, and the update is finished only when the stream has caught up
 * with every environment, so that all of it stands at one position.
 */
export const rulesetDraft = (
  reader: RedisRulesetReader,
  from: Cursor,
  known: (id: string) => KnownEnvironment | undefined,
) => {
  let cursor = from;
  let minimum = from.position;
  const environments = new Map<string, EnvironmentDraft | null>();

  const add = (id: string, { position, generation, contents }: EnvironmentSnapshot): void => {
    if (generation !== from.generation) throw new StreamGap('The snapshot was refilled meanwhile.');
    minimum = later(minimum, position);
    environments.set(id, contents && draftOf(contents, position));
  };
  const load = async (id: string): Promise<void> => {
    add(id, await reader.environment(id));
  };

  /** The draft that a change belongs in; undefined when the environment has to be loaded whole. */
  const draftFor = (id: string): EnvironmentDraft | undefined => {
    const existing = environments.get(id);
    if (existing !== undefined) return existing ?? undefined;
    if (known(id) === undefined) return undefined;
    const begun = draftOf();
    environments.set(id, begun);
    return begun;
  };

  /** The segment that an edit leads to; undefined when what it is an edit of is not here. */
  const edited = (
    draft: EnvironmentDraft,
    { environment, segment, edit }: Extract<RulesetChange, { edit: unknown }>,
  ): SegmentDefinition | undefined => {
    const isHere = draft.segments.has(segment) || draft.loadedAt !== undefined;
    const before = isHere
      ? draft.segments.get(segment)
      : known(environment)?.segments.get(segment)?.definition;
    return editedSegment(before, edit);
  };

  /** Takes one change in. @returns false when the environment has to be loaded whole instead */
  const take = (draft: EnvironmentDraft, step: RulesetChange): boolean => {
    if ('reload' in step) return false;
    if ('flag' in step) draft.flags.set(step.flag, step.ruleset);
    else if ('definition' in step) draft.segments.set(step.segment, step.definition);
    else {
      const definition = edited(draft, step);
      if (definition === undefined) return false;
      draft.segments.set(step.segment, definition);
    }
    return true;
  };

  const change = async (position: Position, step: RulesetChange): Promise<void> => {
    if ((environments.get(step.environment)?.loadedAt ?? -1) >= position) return;
    const draft = 'reload' in step ? undefined : draftFor(step.environment);
    if (draft === undefined || !take(draft, step)) await load(step.environment);
  };

  const apply = async (entries: readonly ChangeEntry[]): Promise<void> => {
    for (const { id, prev, generation, position, changes } of entries) {
      if (prev !== cursor.lastId || generation !== cursor.generation)
        throw new StreamGap(`Entry ${id} follows ${prev}, not ${cursor.lastId}.`);
      for (const step of changes) await change(position, step);
      cursor = { lastId: id, position, generation };
    }
  };

  return {
    load,
    apply,
    /** Reads on until everything stands at one position. */
    catchUp: async (): Promise<void> => {
      while (cursor.position < minimum) {
        const entries = await reader.entriesAfter(cursor.lastId, ENTRIES_AT_ONCE, 1);
        if (entries.length === 0) throw new StreamGap(`No entry leads to position ${minimum}.`);
        await apply(entries);
      }
    },
    cursor: (): Cursor => cursor,
    update: (isComplete: boolean): RulesetUpdate => ({
      source: 'redis',
      position: cursor.position,
      isComplete,
      environments: new Map(
        [...environments].map(([id, draft]) => [
          id,
          draft && {
            isComplete: draft.loadedAt !== undefined,
            flags: draft.flags,
            segments: draft.segments,
          },
        ]),
      ),
    }),
  };
};

export const cursorOf = ({ lastId, position, generation }: SnapshotHead): Cursor => ({
  lastId,
  position,
  generation,
});
