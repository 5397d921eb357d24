import { type Command, DomainError } from '../../domain/decider.js';
import { type MergeBase } from '../../domain/merge-base.js';
import { type ExistingProject, type Project } from '../../domain/project.js';
import {
  type ExistingSegment,
  type Segment,
  type SegmentEvent,
  type SegmentRule,
} from '../../domain/segment.js';
import { type ClausePorts } from '../../domain/targeting/valid-clauses.js';
import { requireProject } from '../project/guards.js';
import { requireRuleList } from '../rule-list.js';
import { type SegmentPlace } from './guards.js';
import { refuseTaken } from './lifecycle.js';
import { requireSegmentRule, segmentRulesChanged } from './rules.js';

/** Says that a segment is what imported files make it. Whoever takes it away keeps the segment as it is. */
export const IMPORTED_TAG = 'flagd';

/** Makes these the rules of a segment that imports made, or makes it. What the file does not speak of stays. */
export type ImportSegment = Command<
  'ImportSegment',
  SegmentPlace & {
    /** The condition's name in the file. */
    name: string;
    /** Absent: those that it has stay. */
    rules?: readonly SegmentRule[];
    /** For the next import to compare with. Absent: nothing new. */
    fields?: MergeBase;
    /** What the import is for. A segment is the same in every environment. */
    environments: readonly string[];
  }
>;

const created = ({ data }: ImportSegment): readonly SegmentEvent[] => {
  const { projectId, segmentKey: key, name, rules = [] } = data;
  const [description, tags] = ['A shared condition of a flagd file.', [IMPORTED_TAG]];
  const keys = { included: [], excluded: [] };
  const content = { projectId, key, name, description, tags, ...keys, rules };
  return [{ type: 'SegmentCreated', data: content }];
};

/** @throws DomainError `segment-exists`, `segment-exists-deleted` */
const requireImported = (segment: ExistingSegment): void => {
  if (segment.status === 'deleted') refuseTaken(segment);
  if (!segment.tags.includes(IMPORTED_TAG)) {
    throw new DomainError(
      'segment-exists',
      `Segment '${segment.key}' exists already, and no import may change it: it has no tag '${IMPORTED_TAG}'.`,
    );
  }
};

/** @throws DomainError `cannot-import` */
const requireEveryEnvironment = (
  { environments }: ExistingProject,
  { data }: ImportSegment,
): void => {
  const other = environments.find(
    ({ key, status }) => status === 'active' && !data.environments.includes(key),
  );
  if (other === undefined) return;
  throw new DomainError(
    'cannot-import',
    `Segment '${data.segmentKey}' would change in '${other.key}' too; import for all environments, or under another name.`,
  );
};

export const importSegment =
  (ports: ClausePorts) =>
  (command: ImportSegment, segment: Segment, project: Project): readonly SegmentEvent[] => {
    const { rules, fields } = command.data;
    requireRuleList(rules ?? []);
    for (const rule of rules ?? []) requireSegmentRule(rule, `rule '${rule.id}'`, ports);
    const imported: readonly SegmentEvent[] =
      fields === undefined ? [] : [{ type: 'SegmentImported', data: { fields } }];
    if (segment.status === 'absent') return [...created(command), ...imported];
    requireImported(segment);
    const events = rules === undefined ? [] : segmentRulesChanged(segment.rules, rules);
    if (events.length > 0) requireEveryEnvironment(requireProject(project), command);
    return [...events, ...imported];
  };
