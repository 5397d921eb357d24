import { type DomainEvent } from '../../../src/domain/catalogue.js';
import { type FlagEvent } from '../../../src/domain/flag/events.js';
import { absentFlag, evolveFlag, type ExistingFlag } from '../../../src/domain/flag/flag.js';
import { rulesetOf } from '../../../src/domain/evaluation/ruleset.js';
import { canonicalJson, type Json } from '../../../src/domain/json.js';
import { type ProjectEvent } from '../../../src/domain/project/events.js';
import {
  absentProject,
  evolveProject,
  type ExistingProject,
} from '../../../src/domain/project/project.js';
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

/** I1 and I2 for commands that write one event: acknowledged ones are there, once, where the answer said. */
export const commandFlaws = (commands: readonly CommandRecord[], log: Log): readonly string[] => {
  const written = new Map<string, Recorded<DomainEvent>[]>();
  for (const event of log) {
    const { commandId } = event.metadata;
    written.set(commandId, [...(written.get(commandId) ?? []), event]);
  }
  return commands.flatMap(({ key, flag, outcome, revision }) => {
    const [event, ...more] = written.get(key) ?? [];
    if (more.length > 0) return [`${key} is applied ${more.length + 1} times`];
    if (outcome === 'unknown') return [];
    if (outcome !== 'recorded')
      return event === undefined ? [] : [`${key} is written, though it was ${outcome}`];
    if (event === undefined) return [`${key} is lost`];
    const isThere = event.stream === flagStream(DEMO, flag) && event.revision === revision;
    return isThere ? [] : [`${key} is at ${event.stream} ${event.revision}, not ${revision ?? ''}`];
  });
};

/** I2: no event twice, revisions without gaps, positions increasing. */
export const logFlaws = (log: Log): readonly string[] => {
  const flaws: string[] = [];
  const ids = new Set<string>();
  const next = new Map<string, number>();
  let last = -1;
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

type Folded = Readonly<{ place: { revision: number; position: number } }> &
  (Readonly<{ flag: ExistingFlag }> | Readonly<{ project: ExistingProject }>);

const folder = () => {
  const states = new Map<string, Folded>();
  return {
    states,
    /** @returns undefined for what is in the audit trail only */
    take: (event: Recorded<DomainEvent>): Folded | undefined => {
      const before = states.get(event.stream);
      const place = { revision: event.revision, position: event.position };
      const category = parseStream(event.stream)?.category;
      let after: Folded | undefined;
      if (category === 'flag') {
        const flag = evolveFlag(
          before !== undefined && 'flag' in before ? before.flag : absentFlag,
          event as FlagEvent,
        );
        if (flag.status !== 'absent') after = { place, flag };
      } else if (category === 'project') {
        const project = evolveProject(
          before !== undefined && 'project' in before ? before.project : absentProject,
          event as ProjectEvent,
        );
        if (project.status !== 'absent') after = { place, project };
      }
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
  const following = new Map<string, number>();
  const next = new Map<Recorded<DomainEvent>, number>();
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

/** What Redis must hold for this log: each ruleset of each environment, and no other environment. */
export const expectedRulesets = (log: Log): Facts => {
  const facts = new Map<string, string>();
  const { states, take } = folder();
  for (const event of log) take(event);
  for (const folded of states.values()) {
    if (!('project' in folded) || folded.project.status !== 'active') continue;
    const projectId = projectIdOf(folded.project.organizationId, folded.project.key);
    const active = folded.project.environments.filter(({ status }) => status === 'active');
    for (const { key: environment } of active) {
      facts.set(environmentIdOf(projectId, environment), 'there');
      for (const other of states.values()) {
        if (!('flag' in other) || other.flag.projectId !== projectId) continue;
        const ruleset = rulesetOf(other.flag, environment, other.place);
        if (ruleset !== undefined)
          facts.set(`${environmentIdOf(projectId, environment)} ${ruleset.key}`, text(ruleset));
      }
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
  const changes = new Map<string, { position: number; variant: unknown }[]>();
  for (const event of log) {
    if (event.type !== 'FlagRolloutChanged' || event.data.environment !== ENVIRONMENT) continue;
    const { fallthrough } = event.data;
    const variant = 'variant' in fallthrough ? fallthrough.variant : undefined;
    const key = parseStream(event.stream)?.key ?? '';
    const known = changes.get(key) ?? [];
    known.push({ position: event.position, variant });
    changes.set(key, known);
  }
  return (flag: string, position: number): unknown =>
    changes.get(flag)?.findLast((change) => change.position <= position)?.variant;
};

/** I5: every answer is right for the position it names, and no later request of one process sees an older one. */
export const evaluationFlaws = (
  evaluations: readonly EvaluationRecord[],
  log: Log,
  { initialVariant }: Readonly<{ initialVariant: string }>,
): readonly string[] => {
  const flaws: string[] = [];
  const served = servedAt(log);
  for (const { flag, status, variant, position } of evaluations) {
    if (status === 0) continue;
    if (status !== 200) flaws.push(`evaluation answered ${status}`);
    else {
      const expected = served(flag, position ?? -1) ?? initialVariant;
      if (variant !== expected)
        flaws.push(`${flag} is ${String(variant)} at ${position ?? '?'}, not ${String(expected)}`);
    }
  }
  const answered = evaluations.filter(({ position }) => position !== undefined);
  const byEnd = answered.toSorted((a, b) => a.endedAt - b.endedAt);
  let seen = -1;
  let nth = 0;
  for (const later of answered.toSorted((a, b) => a.beganAt - b.beganAt)) {
    for (; nth < byEnd.length && byEnd[nth]!.endedAt <= later.beganAt; nth += 1)
      seen = Math.max(seen, byEnd[nth]?.position ?? -1);
    if ((later.position ?? -1) < seen)
      flaws.push(`an answer at ${later.position ?? '?'} follows one at ${seen}`);
  }
  return flaws;
};
