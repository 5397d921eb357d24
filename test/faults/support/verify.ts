import { type DomainEvent } from '../../../src/domain/catalogue.js';
import { rulesetOf } from '../../../src/domain/evaluation/ruleset.js';
import { type FlagEvent } from '../../../src/domain/flag/events.js';
import { absentFlag, evolveFlag, type ExistingFlag } from '../../../src/domain/flag/flag.js';
import { canonicalJson, type Json } from '../../../src/domain/json.js';
import { type Position } from '../../../src/domain/position.js';
import {
  absentProject,
  evolveProject,
  type ExistingProject,
  type ProjectEvent,
} from '../../../src/domain/project.js';
import { type Recorded } from '../../../src/domain/recorded.js';
import {
  environmentIdOf,
  flagStream,
  parseStream,
  projectIdOf,
} from '../../../src/domain/streams.js';
import { type CommandRecord, ENVIRONMENT, type EvaluationRecord } from './load.js';

export type Log = readonly Recorded<DomainEvent>[];

/** Things by name, as text: what is there, or what should be. */
export type Facts = ReadonlyMap<string, string>;

const text = (value: unknown): string => canonicalJson(JSON.parse(JSON.stringify(value)) as Json);

const DEMO = projectIdOf('default', 'demo');

const missing = ({ key, outcome }: CommandRecord): readonly string[] =>
  outcome === 'recorded' ? [`${key} is lost`] : [];

const misplaced = (
  { key, flag, outcome, revision }: CommandRecord,
  event: Recorded<DomainEvent>,
): readonly string[] => {
  if (outcome === 'unknown') return [];
  if (outcome !== 'recorded') return [`${key} is written, though it was ${outcome}`];
  const isThere = event.stream === flagStream(DEMO, flag) && event.revision === revision;
  return isThere ? [] : [`${key} is at ${event.stream} ${event.revision}, not ${revision ?? ''}`];
};

/** I1 and I2 for commands that write one event: acknowledged ones are there, once, where the answer said. */
export const commandFlaws = (commands: readonly CommandRecord[], log: Log): readonly string[] => {
  const written = new Map<string, Recorded<DomainEvent>[]>();
  for (const event of log) {
    const { commandId } = event.metadata;
    written.set(commandId, [...(written.get(commandId) ?? []), event]);
  }
  return commands.flatMap((command) => {
    const [event, ...more] = written.get(command.key) ?? [];
    if (more.length > 0) return [`${command.key} is applied ${more.length + 1} times`];
    return event === undefined ? missing(command) : misplaced(command, event);
  });
};

/** I2: no event twice, revisions without gaps, positions increasing. */
export const logFlaws = (log: Log): readonly string[] => {
  const flaws: string[] = [];
  const ids = new Set<string>();
  const next = new Map<string, number>();
  let last: Position = -1;
  for (const { id, stream, revision, position } of log) {
    if (ids.has(id)) flaws.push(`event ${id} is there twice`);
    ids.add(id);
    if (position <= last) flaws.push(`position ${position} comes after ${last}`);
    last = position;
    const expected = next.get(stream) ?? 0;
    if (revision !== expected) flaws.push(`${stream} has ${revision} where ${expected} is due`);
    next.set(stream, revision + 1);
  }
  return flaws;
};

type Folded = Readonly<{ place: { revision: number; position: Position } }> &
  (Readonly<{ flag: ExistingFlag }> | Readonly<{ project: ExistingProject }>);

const flagIn = (folded: Folded | undefined) =>
  folded !== undefined && 'flag' in folded ? folded.flag : absentFlag;

const projectIn = (folded: Folded | undefined) =>
  folded !== undefined && 'project' in folded ? folded.project : absentProject;

const evolved = (event: Recorded<DomainEvent>, before: Folded | undefined): Folded | undefined => {
  const place = { revision: event.revision, position: event.position };
  const category = parseStream(event.stream)?.category;
  if (category === 'flag') {
    const flag = evolveFlag(flagIn(before), event as FlagEvent);
    return flag.status === 'absent' ? undefined : { place, flag };
  }
  if (category !== 'project') return undefined;
  const project = evolveProject(projectIn(before), event as ProjectEvent);
  return project.status === 'absent' ? undefined : { place, project };
};

const folder = () => {
  const states = new Map<string, Folded>();
  return {
    states,
    /** @returns undefined for what is in the audit trail only */
    take: (event: Recorded<DomainEvent>): Folded | undefined => {
      const after = evolved(event, states.get(event.stream));
      if (after !== undefined) states.set(event.stream, after);
      return after;
    },
  };
};

const stateIn = (folded: Folded): unknown => ('flag' in folded ? folded.flag : folded.project);

/** What the read model must hold for this log: current states, every revision with its range, every event. */
export const expectedReadModel = (log: Log): Facts => {
  const facts = new Map<string, string>();
  const { states, take } = folder();
  const following = new Map<string, Position>();
  const next = new Map<Recorded<DomainEvent>, Position>();
  for (const event of log.toReversed()) {
    const to = following.get(event.stream);
    if (to !== undefined) next.set(event, to);
    following.set(event.stream, event.position);
  }
  for (const event of log) {
    const { stream, revision, position, id, type, data } = event;
    facts.set(`event ${position}`, text({ id, stream, revision, type, data }));
    const after = take(event);
    if (after === undefined) continue;
    const to = next.get(event) ?? null;
    facts.set(`${stream} @${revision}`, text({ from: position, to, state: stateIn(after) }));
  }
  for (const [stream, folded] of states)
    facts.set(stream, text({ ...folded.place, state: stateIn(folded) }));
  facts.set('checkpoint covers the log', 'true');
  return facts;
};

type FoldedFlag = Extract<Folded, { flag: unknown }>;

/** What Redis must hold for this log: each ruleset of each environment, and no other environment. */
export const expectedRulesets = (log: Log): Facts => {
  const facts = new Map<string, string>();
  const { states, take } = folder();
  for (const event of log) take(event);
  const all = [...states.values()];
  const flags = all.filter((folded): folded is FoldedFlag => 'flag' in folded);
  const environments = all.flatMap((folded) => {
    if (!('project' in folded) || folded.project.status !== 'active') return [];
    const projectId = projectIdOf(folded.project.organizationId, folded.project.key);
    return folded.project.environments
      .filter(({ status }) => status === 'active')
      .map(({ key }) => ({ projectId, key, id: environmentIdOf(projectId, key) }));
  });
  for (const { projectId, key, id } of environments) {
    facts.set(id, 'there');
    for (const { flag, place } of flags.filter(({ flag }) => flag.projectId === projectId)) {
      const ruleset = rulesetOf(flag, key, place);
      if (ruleset !== undefined) facts.set(`${id} ${ruleset.key}`, text(ruleset));
    }
  }
  return facts;
};

/** I3, I4: what differs, in words. */
export const factFlaws = (held: Facts, expected: Facts): readonly string[] =>
  [...new Set([...held.keys(), ...expected.keys()])].flatMap((name) => {
    if (held.get(name) === expected.get(name)) return [];
    return [`${name}: ${held.get(name) ?? 'absent'} instead of ${expected.get(name) ?? 'absent'}`];
  });

export const fact = text;

/** What `production` serves of each flag at positions of the log, for flags that serve one variant to everyone. */
const servedAt = (log: Log) => {
  const changes = new Map<string, { position: Position; variant: string | null }[]>();
  for (const event of log) {
    if (event.type !== 'FlagRolloutChanged' || event.data.environment !== ENVIRONMENT) continue;
    const { fallthrough } = event.data;
    const variant = 'variant' in fallthrough ? fallthrough.variant : null;
    const key = parseStream(event.stream)?.key ?? '';
    const known = changes.get(key) ?? [];
    known.push({ position: event.position, variant });
    changes.set(key, known);
  }
  return (flag: string, position: number): string | null | undefined =>
    changes.get(flag)?.findLast((change) => change.position <= position)?.variant;
};

const answerFlaws = (
  { flag, status, variant, position }: EvaluationRecord,
  expectedAt: (flag: string, position: number) => string,
): readonly string[] => {
  if (status === 0) return [];
  if (status !== 200) return [`evaluation answered ${status}`];
  const expected = expectedAt(flag, position ?? -1);
  if (variant === expected) return [];
  return [`${flag} is ${String(variant)} at ${position ?? '?'}, not ${expected}`];
};

/** What began after another of the same process had ended must not stand at an older position. */
const backwardFlaws = (evaluations: readonly EvaluationRecord[]): readonly string[] => {
  const flaws: string[] = [];
  const answered = evaluations.flatMap(({ position, ...rest }) =>
    position === undefined ? [] : [{ ...rest, position }],
  );
  const byEnd = answered.toSorted((a, b) => a.endedAt - b.endedAt);
  let seen = -1;
  let nth = 0;
  for (const { beganAt, position } of answered.toSorted((a, b) => a.beganAt - b.beganAt)) {
    for (; nth < byEnd.length && byEnd[nth]!.endedAt <= beganAt; nth += 1)
      seen = Math.max(seen, byEnd[nth]!.position);
    if (position < seen) flaws.push(`an answer at ${position} follows one at ${seen}`);
  }
  return flaws;
};

/** I5: every answer is right for the position it names, and no later request to a process sees an older one. */
export const evaluationFlaws = (
  evaluations: readonly EvaluationRecord[],
  log: Log,
  { initialVariant }: Readonly<{ initialVariant: string }>,
): readonly string[] => {
  const served = servedAt(log);
  const expectedAt = (flag: string, position: number) => served(flag, position) ?? initialVariant;
  return [
    ...evaluations.flatMap((evaluation) => answerFlaws(evaluation, expectedAt)),
    ...[...new Set(evaluations.map(({ process }) => process))].flatMap((one) =>
      backwardFlaws(evaluations.filter(({ process }) => process === one)),
    ),
  ];
};
