import { type FlagEvent } from '../../domain/flag/events.js';
import { absentFlag, evolveFlag, type ExistingFlag, type Flag } from '../../domain/flag/flag.js';
import { type Written } from '../../domain/flagd/here.js';
import { type MergeBase } from '../../domain/merge-base.js';
import { type Recorded } from '../../domain/recorded.js';
import { type Notes, notesOf } from '../environments/many-flags.js';
import {
  agreedBase,
  ConflictingChanges,
  type Field,
  importedBase,
  isUnresolved,
  type Merged,
  mergeFields,
  type OnConflict,
  withLastChanges,
} from '../environments/merging.js';
import { flagMadeBy, type ImportedConfiguration, type ImportFlag } from '../flag/import-flag.js';
import {
  environmentFields,
  type FileFlag,
  mergedVariants,
  readField,
  sharedFields,
  warningsOf,
} from './flag-fields.js';

export type FlagPlan = Readonly<{
  /** Undefined: the flag is left alone. */
  command: ImportFlag | undefined;
  notes: Notes;
}>;

export type PlanRequest = Readonly<{
  projectId: string;
  environments: readonly string[];
  onConflict: OnConflict;
  /** An active environment of the project that the import is not for. */
  otherEnvironment: string | undefined;
}>;

type Here = Readonly<{
  history: readonly Recorded<FlagEvent>[];
  /** By environment. */
  written: ReadonlyMap<string, Written | undefined>;
}>;

/** A flag that is not there, or deleted: the decision says what becomes of it. */
const planNew = (flag: FileFlag, { projectId, environments }: PlanRequest): FlagPlan => {
  const { enabled, targets = [], rules, fallthrough, ...shared } = flag.definition;
  const configuration: ImportedConfiguration = { enabled, targets, rules, fallthrough };
  const own = Object.fromEntries(environments.map((key) => [key, configuration]));
  const data = { projectId, flagKey: flag.key, ...shared, environments: own };
  const made = flagMadeBy({ type: 'ImportFlag', data });
  const unwritten = new Map<string, undefined>();
  const fields = allFields(flag, made, { environments, written: unwritten, base: {} });
  const command = { type: 'ImportFlag', data: { ...data, fields: agreedBase(fields) } } as const;
  return { command, notes: notesOf({ warnings: warningsOf(flag.definition) }) };
};

type Surveyed = Readonly<{
  environments: readonly string[];
  written: Here['written'];
  base: MergeBase;
  closed?: string | undefined;
}>;

const allFields = (
  flag: FileFlag,
  here: ExistingFlag,
  { environments, written, base, closed }: Surveyed,
): readonly Field[] => [
  ...sharedFields(flag.definition, here, closed),
  ...environments.flatMap((environment) =>
    environmentFields(flag, {
      here,
      environment,
      written: written.get(environment),
      isKnown: (field) => Object.hasOwn(base, field),
    }),
  ),
];

/** The parts of one environment that the file wins. */
const takenParts = (
  fields: readonly Field[],
  taken: Merged['taken'],
  environment: string,
): Partial<ImportedConfiguration> => {
  const below = `/environments/${environment}/`;
  const parts = fields.filter(({ name }) => name.startsWith(below) && taken.has(name));
  return Object.fromEntries(parts.map(({ name, mine }) => [name.slice(below.length), mine]));
};

const commandFor = (
  flag: FileFlag,
  here: ExistingFlag,
  merged: Merged & Readonly<{ fields: readonly Field[]; known: MergeBase }>,
  { projectId, environments }: PlanRequest,
): ImportFlag => {
  const { type, description, metadata, variants } = flag.definition;
  const { taken, fields, known, base } = merged;
  const details = {
    ...(taken.has('/description') && description !== undefined && { description }),
    ...(taken.has('/metadata') && metadata !== undefined && { metadata }),
  };
  const parts = environments.map((key) => [key, takenParts(fields, taken, key)] as const);
  const data = {
    projectId,
    flagKey: flag.key,
    type,
    ...details,
    variants: mergedVariants(here.variants, variants, taken),
    environments: Object.fromEntries(parts),
    ...(base === known ? {} : { fields: base }),
  };
  return { type: 'ImportFlag', data };
};

const FOLD = { initialState: absentFlag, evolve: evolveFlag, read: readField };

/**
 * What an import does with one flag, by what is in the file, what is here, and what the last import remembered.
 * @throws ConflictingChanges
 */
export const planFlag = (
  flag: FileFlag,
  { history, written }: Here,
  request: PlanRequest,
): FlagPlan => {
  const here = history.reduce<Flag>(evolveFlag, absentFlag);
  if (here.status === 'absent' || here.status === 'deleted') return planNew(flag, request);
  const { environments, onConflict, otherEnvironment } = request;
  const closed =
    otherEnvironment === undefined
      ? undefined
      : `It would change in '${otherEnvironment}' too, which the import is not for.`;
  const known = importedBase(history);
  const fields = allFields(flag, here, { environments, written, base: known, closed });
  const merged = mergeFields(fields, known, onConflict);
  const conflicts = withLastChanges(merged.conflicts, history, FOLD);
  if (isUnresolved(merged, onConflict))
    throw new ConflictingChanges(`Flag '${flag.key}'`, conflicts);
  const notes = notesOf({ conflicts, kept: merged.kept, warnings: warningsOf(flag.definition) });
  const isLeft = onConflict === 'skip' && conflicts.length > 0;
  const command = commandFor(flag, here, { ...merged, fields, known }, request);
  return { command: isLeft ? undefined : command, notes };
};
