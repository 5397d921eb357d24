import { importFile } from '../../src/commands/import/import-file.js';
import { type TargetingMode } from '../../src/domain/flagd/parse.js';
import { type EventStore } from '../../src/commands/streams/event-store.js';
import { ConflictingChanges, type OnConflict } from '../../src/commands/environments/merging.js';
import { OWNER_GRANTS } from '../../src/domain/access/grants.js';
import { type Ruleset, rulesetOf } from '../../src/domain/evaluation/ruleset.js';
import { absentFlag, evolveFlag, type Flag } from '../../src/domain/flag/flag.js';
import { flagdDocument } from '../../src/domain/flagd/export.js';
import { type JsonObject } from '../../src/domain/json.js';
import { inMemoryEventStore } from './in-memory-event-store.js';
import { metadata } from './metadata.js';
import { contentsOf } from './rulesets.js';
import { ENVIRONMENT, PROJECT_ID } from './flags.js';
import { processOn } from './write-sides.js';

const ALL = [ENVIRONMENT, 'staging'];

type Options = Readonly<{
  environments?: readonly string[];
  onConflict?: OnConflict;
  dryRun?: boolean;
  targeting?: TargetingMode;
}>;

let imports = 0;

/** A project of two environments that files are imported into; `appended` has the types of all events written. */
export const importingProject = async () => {
  const appended: string[] = [];
  const memory = inMemoryEventStore();
  const store: EventStore = {
    ...memory,
    append: async (stream, events, options) => {
      appended.push(...events.map(({ type }) => type));
      return memory.append(stream, events, options);
    },
  };
  const run = processOn(store);
  await run.createProject();
  const toImport = importFile(run.side);
  const flagNow = async (key: string): Promise<Flag> =>
    (await run.side.flagHistory(PROJECT_ID, key)).reduce<Flag>(evolveFlag, absentFlag);
  const importing = (file: JsonObject, options: Options = {}) => {
    const { environments = ALL, onConflict = 'fail', dryRun = false } = options;
    return toImport({
      projectId: PROJECT_ID,
      environments,
      otherEnvironment: ALL.find((key) => !environments.includes(key)),
      file,
      targeting: options.targeting ?? 'rules',
      onConflict,
      metadata: metadata(`import-${(imports += 1)}`),
      grants: OWNER_GRANTS,
      dryRun,
      signal: AbortSignal.timeout(60_000),
    });
  };
  const exported = async (environment: string, keys: readonly string[]): Promise<JsonObject> => {
    const rulesets: Ruleset[] = [];
    for (const key of keys) {
      const flag = await flagNow(key);
      const stands = { revision: 1, position: 1 };
      const ruleset = flag.status === 'absent' ? undefined : rulesetOf(flag, environment, stands);
      if (ruleset !== undefined) rulesets.push(ruleset);
    }
    return flagdDocument(contentsOf(rulesets), 'acme').document;
  };
  return { run, store, memory, appended, importing, flagNow, exported };
};

/** The conflicts that end something; none when it succeeds. */
export const conflictsOf = async (
  running: Promise<unknown>,
): Promise<ConflictingChanges['conflicts']> => {
  try {
    await running;
    return [];
  } catch (error) {
    if (error instanceof ConflictingChanges) return error.conflicts;
    throw error;
  }
};
