import { type EventStore } from '../../src/commands/streams/event-store.js';
import { type FlagCommand } from '../../src/commands/flag/decider.js';
import { type Snapshots } from '../../src/commands/streams/snapshots.js';
import { type ProjectCommand } from '../../src/commands/project/project.js';
import { type SegmentCommand } from '../../src/commands/segment/decider.js';
import { writeSide } from '../../src/composition/write-side.js';
import { type Grants, OWNER_GRANTS } from '../../src/domain/access/grants.js';
import { DomainError } from '../../src/domain/decider.js';
import { type Clause } from '../../src/domain/targeting/clause.js';
import { metadata } from './metadata.js';
import { ENVIRONMENT, PROJECT_ID } from './flags.js';

type More = Readonly<{ dryRun?: boolean; commandId?: string; grants?: Grants }>;

let commands = 0;

/** What became of a command: what its outcome is called, or the code of the refusal. */
export const outcomeOf = async (running: Promise<Readonly<{ kind: string }>>): Promise<string> => {
  try {
    return (await running).kind;
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
};

/** The words of a refusal; empty when there was none. */
export const refusalText = async (running: Promise<unknown>): Promise<string> => {
  try {
    await running;
    return '';
  } catch (error) {
    if (error instanceof DomainError) return error.message;
    throw error;
  }
};

/** One process: the write side with a memory of its own, on a store that may be shared. */
export const processOn = (store: EventStore, snapshots?: Snapshots) => {
  const side = writeSide(store, async () => 0, snapshots);
  const request = <C>(command: C, { commandId = `c${(commands += 1)}`, ...more }: More) => ({
    command,
    metadata: metadata(commandId),
    grants: OWNER_GRANTS,
    signal: AbortSignal.timeout(60_000),
    ...more,
  });
  const flag = (command: FlagCommand, more: More = {}) => side.flags(request(command, more));
  const project = (command: ProjectCommand) => side.projects(request(command, {}));
  const segment = (command: SegmentCommand, more: More = {}) =>
    side.segments(request(command, more));
  const place = (flagKey: string, environment = ENVIRONMENT) => ({
    projectId: PROJECT_ID,
    flagKey,
    environment,
  });
  return {
    side,
    flag,
    project,
    segment,
    createProject: (isProtected = false) =>
      side.projects(
        request(
          {
            type: 'CreateProject',
            data: {
              organizationId: 'acme',
              projectId: PROJECT_ID,
              key: 'web',
              environments: [{ environment: ENVIRONMENT, isProtected }, { environment: 'staging' }],
            },
          },
          {},
        ),
      ),
    createFlag: (flagKey: string) =>
      flag({ type: 'CreateFlag', data: { projectId: PROJECT_ID, flagKey, type: 'boolean' } }),
    createSegment: (segmentKey: string, clauses: readonly Clause[] = []) =>
      segment({
        type: 'CreateSegment',
        data: {
          projectId: PROJECT_ID,
          segmentKey,
          rules: clauses.length === 0 ? [] : [{ id: 'first', clauses }],
        },
      }),
    /** Makes `flagKey` need these flags to serve `on`. */
    require: (flagKey: string, keys: readonly string[], more: More & { in?: string } = {}) => {
      const { in: environment, ...rest } = more;
      const prerequisites = keys.map((key) => ({ flagKey: key, variants: ['on'] }));
      const data = { ...place(flagKey, environment), prerequisites };
      return flag({ type: 'ChangePrerequisites', data }, rest);
    },
    /** Makes a rule of `flagKey` ask for membership in these segments. */
    target: (flagKey: string, segments: readonly string[], more: More = {}) => {
      const rules =
        segments.length === 0
          ? []
          : [{ id: 'members', clauses: [{ segments }], serve: { variant: 'on' } }];
      return flag({ type: 'ReplaceRules', data: { ...place(flagKey), rules } }, more);
    },
    /** Makes a segment have the members of these. */
    nest: (segmentKey: string, segments: readonly string[], more: More = {}) => {
      const rules = segments.length === 0 ? [] : [{ id: 'members', clauses: [{ segments }] }];
      return segment(
        { type: 'ReplaceSegmentRules', data: { projectId: PROJECT_ID, segmentKey, rules } },
        more,
      );
    },
    deleteSegment: (segmentKey: string, more: More = {}) =>
      segment({ type: 'DeleteSegment', data: { projectId: PROJECT_ID, segmentKey } }, more),
    archiveFlag: (flagKey: string, more: More = {}) =>
      flag({ type: 'ArchiveFlag', data: { projectId: PROJECT_ID, flagKey } }, more),
    deleteFlag: (flagKey: string, more: More = {}) =>
      flag({ type: 'DeleteFlag', data: { projectId: PROJECT_ID, flagKey } }, more),
  };
};

export type TestProcess = ReturnType<typeof processOn>;
