import { type Decider } from '../../domain/decider.js';
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

const decideWith =
  (ports: ClausePorts) =>
  (command: SegmentCommand, segment: Segment, project: Project): readonly SegmentEvent[] => {
    requireProject(project);
    switch (command.type) {
      case 'AddSegmentKeys':
        return addSegmentKeys(command, segment);
      case 'AddSegmentRule':
        return addSegmentRule(ports)(command, segment);
      case 'ChangeSegmentDetails':
        return changeSegmentDetails(command, segment);
      case 'ChangeSegmentRule':
        return changeSegmentRule(ports)(command, segment);
      case 'CreateSegment':
        return createSegment(ports)(command, segment);
      case 'DeleteSegment':
        return deleteSegment(command, segment);
      case 'ImportSegment':
        return importSegment(ports)(command, segment, project);
      case 'MoveSegmentRule':
        return moveSegmentRule(command, segment);
      case 'RemoveSegmentKeys':
        return removeSegmentKeys(command, segment);
      case 'RemoveSegmentRule':
        return removeSegmentRule(command, segment);
      case 'ReplaceSegmentKeys':
        return replaceSegmentKeys(command, segment);
      case 'ReplaceSegmentRules':
        return replaceSegmentRules(ports)(command, segment);
      case 'RestoreSegment':
        return restoreSegment(command, segment);
      case 'RevertSegment':
        return revertSegment(command, segment);
    }
  };

/** Everything that can be asked of a segment. Every command on a segment of a project that is not active is refused. */
export const segmentDecider = (
  ports: ClausePorts,
): Decider<Segment, SegmentCommand, SegmentEvent, Project> => ({
  initialState: absentSegment,
  evolve: evolveSegment,
  decide: (command, segment, project) => {
    const events = decideWith(withRegexBudget(ports))(command, segment, project);
    for (const { type, data } of events)
      if (type === 'SegmentRulesChanged') requireAffordable(data.rules, ports);
    return boundedSegmentEvents(segment, events);
  },
});
