import { type Configuration, withTargeting } from '../../domain/flag/configuration.js';
import { type FlagEvent } from '../../domain/flag/events.js';
import { absentFlag, configurationOf, evolveFlag, type Flag } from '../../domain/flag/flag.js';
import { type Histories } from '../../domain/flagd/here.js';
import { type Json } from '../../domain/json.js';
import { fingerprint, type MergeBase } from '../../domain/merge-base.js';
import { type Recorded } from '../../domain/recorded.js';
import { NO_STREAM } from '../streams/event-store.js';
import { type PromoteFlag } from '../flag/configuration.js';
import {
  type BatchRequest,
  type FlagReport,
  type HandleFlag,
  notesOf,
  onManyFlags,
  type Prepared,
} from './many-flags.js';
import {
  ConflictingChanges,
  conflictsIn,
  type Field,
  isUnresolved,
  mergeFields,
  type OnConflict,
  withLastChanges,
} from './merging.js';

const PARTS = [
  'enabled',
  'offVariant',
  'fallthrough',
  'targets',
  'rules',
  'prerequisites',
] as const;

type Part = (typeof PARTS)[number];

type History = readonly Recorded<FlagEvent>[];

/** What one flag is promoted with. */
type Promotion = Readonly<{
  projectId: string;
  flagKey: string;
  from: string;
  to: string;
  onConflict: OnConflict;
}>;

const partOf = (configuration: Configuration, part: Part): Json => configuration[part] ?? [];

const nameOf = (part: Part, to: string): string => `/environments/${to}/${part}`;

const fold = (history: History): Flag => history.reduce<Flag>(evolveFlag, absentFlag);

const readPart = (flag: Flag, name: string): Json => {
  const [, , environment = '', part = ''] = name.split('/');
  return flag.status === 'absent' ? null : partOf(configurationOf(flag, environment), part as Part);
};

/** What the last promotion remembered; of a flag that never was promoted there, what it was created with. */
const promotedBase = (history: History, { from, to }: Promotion): MergeBase => {
  const last = history.findLast(
    ({ type, data }) => type === 'FlagPromoted' && data.from === from && data.to === to,
  );
  if (last?.type === 'FlagPromoted' && last.data.fields !== undefined) return last.data.fields;
  const created = fold(history.slice(0, 1));
  const entries = PARTS.map((part) => {
    const name = nameOf(part, to);
    if (last?.type !== 'FlagPromoted')
      return [name, { source: '', here: fingerprint(readPart(created, name)) }] as const;
    const print = fingerprint(partOf(last.data.configuration, part));
    return [name, { source: print, here: print }] as const;
  });
  return Object.fromEntries(entries);
};

const fieldsOf = (source: Configuration, present: Configuration, to: string): readonly Field[] =>
  PARTS.map((part) => ({
    name: nameOf(part, to),
    theirs: partOf(present, part),
    mine: partOf(source, part),
  }));

const mergedConfiguration = (
  source: Configuration,
  present: Configuration,
  isTaken: (part: Part) => boolean,
): Configuration => {
  const taken = PARTS.filter(isTaken).map((part) => [part, partOf(source, part)] as const);
  const merged = { ...present, ...(Object.fromEntries(taken) as Partial<Configuration>) };
  return withTargeting(merged, merged.rules, merged.prerequisites);
};

/**
 * What a promotion does with one flag, by what it is in both environments and what the last promotion remembered.
 * @throws ConflictingChanges
 */
export const planPromotion = (history: History, promotion: Promotion): Prepared<PromoteFlag> => {
  const { onConflict, ...data } = promotion;
  const { from, to, flagKey } = data;
  const expectedRevision = history.at(-1)?.revision ?? NO_STREAM;
  const flag = fold(history);
  const plain = { type: 'PromoteFlag', data } as const;
  // The decision says what is wrong with it.
  if (flag.status !== 'active') return { command: plain, expectedRevision };
  const [source, seen] = [configurationOf(flag, from), configurationOf(flag, to)];
  const merged = mergeFields(
    fieldsOf(source, seen, to),
    promotedBase(history, promotion),
    onConflict,
  );
  const folding = { initialState: absentFlag, evolve: evolveFlag, read: readPart };
  const conflicts = withLastChanges(merged.conflicts, history, folding);
  if (isUnresolved(merged, onConflict))
    throw new ConflictingChanges(`Flag '${flagKey}'`, conflicts);
  const notes = notesOf({ conflicts, kept: merged.kept });
  if (onConflict === 'skip' && conflicts.length > 0) return { command: undefined, notes };
  const configuration = mergedConfiguration(source, seen, (part) =>
    merged.taken.has(nameOf(part, to)),
  );
  const made = { configuration, seen, fields: merged.base };
  return { command: { ...plain, data: { ...data, merged: made } }, expectedRevision, notes };
};

type PromoteEnvironmentRequest = BatchRequest &
  Readonly<{
    projectId: string;
    from: string;
    to: string;
    /** Keys of the flags to promote. */
    flags: readonly string[];
    onConflict: OnConflict;
  }>;

type Deps = Readonly<{ handle: HandleFlag<PromoteFlag> }> & Pick<Histories, 'flagHistory'>;

/**
 * Makes flags behave in one environment as they do in another. What was changed there since the last promotion stays, or
 * is a conflict; with `fail` a conflict ends it before anything is written.
 * @throws ConflictingChanges
 * @throws EventStoreUnavailable, AppendOutcomeUnknown: a fault ends it; the same request again takes up what is missing
 */
export const promoteEnvironment = ({ handle, flagHistory }: Deps) => {
  const run = (request: PromoteEnvironmentRequest): Promise<readonly FlagReport[]> => {
    const { projectId, from, to, onConflict } = request;
    const tasks = request.flags.map((flagKey) => ({
      flag: flagKey,
      prepare: async () => {
        const history = await flagHistory(projectId, flagKey);
        return planPromotion(history, { projectId, flagKey, from, to, onConflict });
      },
    }));
    return onManyFlags(handle, tasks, request);
  };
  return async (request: PromoteEnvironmentRequest): Promise<readonly FlagReport[]> => {
    if (request.onConflict === 'fail' && !request.dryRun) {
      const conflicts = conflictsIn(await run({ ...request, dryRun: true }));
      if (conflicts.length > 0)
        throw new ConflictingChanges(`Environment '${request.to}'`, conflicts);
    }
    return run(request);
  };
};
