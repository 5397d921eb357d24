import { decideBy, type Decider, type Decisions } from '../../domain/decider.js';
import { type Project } from '../../domain/project.js';
import {
  absentSegment,
  evolveSegment,
  type Segment,
  type SegmentEvent,
} from '../../domain/segment.js';
import { type ClausePorts } from '../../domain/targeting/valid-clauses.js';
import { requireProject } from '../project/guards.js';
import { requireAffordable, withRegexBudget } from '../regex-budget.js';
import { type ImportSegment, importSegment } from './import-segment.js';
import {
  type AddSegmentKeys,
  addSegmentKeys,
  boundedSegmentEvents,
  type RemoveSegmentKeys,
  removeSegmentKeys,
  type ReplaceSegmentKeys,
  replaceSegmentKeys,
} from './keys.js';
import {
  type ChangeSegmentDetails,
  changeSegmentDetails,
  type CreateSegment,
  createSegment,
  type DeleteSegment,
  deleteSegment,
  type RestoreSegment,
  restoreSegment,
  type RevertSegment,
  revertSegment,
} from './lifecycle.js';
import {
  type AddSegmentRule,
  addSegmentRule,
  type ChangeSegmentRule,
  changeSegmentRule,
  type MoveSegmentRule,
  moveSegmentRule,
  type RemoveSegmentRule,
  removeSegmentRule,
  type ReplaceSegmentRules,
  replaceSegmentRules,
} from './rules.js';

export type SegmentCommand =
  | AddSegmentKeys
  | AddSegmentRule
  | ChangeSegmentDetails
  | ChangeSegmentRule
  | CreateSegment
  | DeleteSegment
  | ImportSegment
  | MoveSegmentRule
  | RemoveSegmentKeys
  | RemoveSegmentRule
  | ReplaceSegmentKeys
  | ReplaceSegmentRules
  | RestoreSegment
  | RevertSegment;

const decisionsWith = (
  ports: ClausePorts,
): Decisions<SegmentCommand, Segment, SegmentEvent, Project> => ({
  AddSegmentKeys: addSegmentKeys,
  AddSegmentRule: addSegmentRule(ports),
  ChangeSegmentDetails: changeSegmentDetails,
  ChangeSegmentRule: changeSegmentRule(ports),
  CreateSegment: createSegment(ports),
  DeleteSegment: deleteSegment,
  ImportSegment: importSegment(ports),
  MoveSegmentRule: moveSegmentRule,
  RemoveSegmentKeys: removeSegmentKeys,
  RemoveSegmentRule: removeSegmentRule,
  ReplaceSegmentKeys: replaceSegmentKeys,
  ReplaceSegmentRules: replaceSegmentRules(ports),
  RestoreSegment: restoreSegment,
  RevertSegment: revertSegment,
});

const decide = decideBy<SegmentCommand, Segment, SegmentEvent, Project>;

/** Everything that can be asked of a segment. Every command on a segment of a project that is not active is refused. */
export const segmentDecider = (
  ports: ClausePorts,
): Decider<Segment, SegmentCommand, SegmentEvent, Project> => ({
  initialState: absentSegment,
  evolve: evolveSegment,
  decide: (command, segment, project) => {
    requireProject(project);
    const events = decide(decisionsWith(withRegexBudget(ports)))(command, segment, project);
    for (const { type, data } of events)
      if (type === 'SegmentRulesChanged') requireAffordable(data.rules, ports);
    return boundedSegmentEvents(segment, events);
  },
});
