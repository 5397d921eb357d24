import { type RulesetChange } from '../domain/evaluation/change.js';
import { rulesetOf } from '../domain/evaluation/ruleset.js';
import { type ExistingFlag } from '../domain/flag/flag.js';
import { type ExistingProject } from '../domain/project/project.js';
import { canonicalJson } from '../domain/json.js';
import { environmentIdOf, parseStream, projectIdOf } from '../domain/streams.js';
import { type Step, type Tracked, type TrackedFlag, type TrackedProject } from './fold/fold.js';

type Place = Readonly<{ revision: number; position: number }>;

/** Every project and flag, deleted ones too, at one log position. */
export type CurrentStates = Readonly<{
  position: number | null;
  recordedAt: string | null;
  projects: readonly (Readonly<{ projectId: string; state: ExistingProject }> & Place)[];
  flags: readonly (Readonly<{ projectId: string; key: string; state: ExistingFlag }> & Place)[];
}>;

/** Rulesets of one environment as JSON, by flag key. Canonical, so that equal rulesets are equal texts. */
export type Rulesets = ReadonlyMap<string, string>;

/** What becomes of one environment: filled or dropped whole, or some flags set (JSON) and removed (null). */
export type SnapshotWrite =
  | Readonly<{ environment: string; fill: Rulesets | null }>
  | Readonly<{ environment: string; flags: ReadonlyMap<string, string | null> }>;

export type SnapshotDelta = Readonly<{
  changes: readonly RulesetChange[];
  writes: readonly SnapshotWrite[];
}>;

const activeEnvironments = (project: TrackedProject | undefined): readonly string[] =>
  project?.state.status === 'active'
    ? project.state.environments.filter(({ status }) => status === 'active').map(({ key }) => key)
    : [];

/** All states in memory, and the rulesets that follow from them: for each environment that can be evaluated. */
export const evaluationSnapshot = (loaded: CurrentStates) => {
  const projects = new Map<string, TrackedProject>();
  const flags = new Map<string, Map<string, TrackedFlag>>();

  const keep = (tracked: Tracked): void => {
    if (tracked.category === 'project') projects.set(tracked.projectId, tracked);
    if (tracked.category !== 'flag') return;
    const ofProject = flags.get(tracked.projectId) ?? new Map<string, TrackedFlag>();
    flags.set(tracked.projectId, ofProject.set(tracked.key, tracked));
  };
  for (const project of loaded.projects) keep({ category: 'project', ...project });
  for (const flag of loaded.flags) keep({ category: 'flag', ...flag });

  const rulesetsOf = (projectId: string, environment: string): Rulesets => {
    const rulesets = new Map<string, string>();
    for (const [key, flag] of flags.get(projectId) ?? []) {
      const ruleset = rulesetOf(flag.state, environment, flag);
      if (ruleset !== undefined) rulesets.set(key, canonicalJson(ruleset));
    }
    return rulesets;
  };

  /** Environments that came or went: readers load (or forget) them whole. */
  const reload = (projectId: string, before: readonly string[], into: Draft): void => {
    const now = activeEnvironments(projects.get(projectId));
    const came = now.filter((environment) => !before.includes(environment));
    const went = before.filter((environment) => !now.includes(environment));
    for (const environment of [...came, ...went]) {
      const id = environmentIdOf(projectId, environment);
      const fill = went.includes(environment) ? null : rulesetsOf(projectId, environment);
      into.writes.set(id, { environment: id, fill });
      into.changes.push({ environment: id, reload: true });
    }
  };

  const change = ({ projectId, key }: TrackedFlag, into: Draft): void => {
    const flag = flags.get(projectId)?.get(key);
    if (flag === undefined) return;
    for (const environment of activeEnvironments(projects.get(projectId))) {
      const id = environmentIdOf(projectId, environment);
      const write = into.writes.get(id) ?? { environment: id, flags: new Map() };
      if ('fill' in write) continue;
      const ruleset = rulesetOf(flag.state, environment, flag) ?? null;
      const json = ruleset && canonicalJson(ruleset);
      into.writes.set(id, { environment: id, flags: new Map(write.flags).set(key, json) });
      into.changes.push({ environment: id, flag: key, ruleset });
    }
  };

  return {
    /** What a stream is here: only projects and flags are known. */
    lookUp: (stream: string): Tracked | undefined => {
      const { category, organizationId = '', projectKey, key } = parseStream(stream) ?? {};
      const projectId = projectIdOf(organizationId, projectKey ?? '');
      return category === 'project'
        ? projects.get(projectId)
        : flags.get(projectId)?.get(key ?? '');
    },

    /** Takes the steps in, and tells what they change: each flag and environment once, as it is after all of them. */
    apply: (steps: readonly Step[]): SnapshotDelta => {
      const before = new Map<string, readonly string[]>();
      const touched = new Map<string, TrackedFlag>();
      for (const { event, after } of steps) {
        if (after.category === 'project' && !before.has(after.projectId))
          before.set(after.projectId, activeEnvironments(projects.get(after.projectId)));
        if (after.category === 'flag') touched.set(event.stream, after);
        keep(after);
      }
      const draft: Draft = { changes: [], writes: new Map() };
      for (const [projectId, environments] of before) reload(projectId, environments, draft);
      for (const flag of touched.values()) change(flag, draft);
      return { changes: draft.changes, writes: [...draft.writes.values()] };
    },

    /** Everything that the snapshot consists of: environmentId → rulesets. */
    contents: (): ReadonlyMap<string, Rulesets> =>
      new Map(
        [...projects.values()].flatMap((project) =>
          activeEnvironments(project).map((environment) => [
            environmentIdOf(project.projectId, environment),
            rulesetsOf(project.projectId, environment),
          ]),
        ),
      ),
  };
};

type Draft = { changes: RulesetChange[]; writes: Map<string, SnapshotWrite> };

export type EvaluationSnapshot = ReturnType<typeof evaluationSnapshot>;
