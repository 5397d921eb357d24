import { type Decider } from '../domain/decider.js';
import { type Project } from '../domain/project/project.js';
import { type SegmentEvent } from '../domain/segment/events.js';
import { absentSegment, evolveSegment, type Segment } from '../domain/segment/segment.js';
import { type ClausePorts } from '../domain/targeting/valid-clauses.js';
import { requireProject } from './project/guards.js';
import {
  type ChangeSegmentDetails,
  changeSegmentDetails,
} from './segment/change-segment-details.js';
import { type AddSegmentKeys, addSegmentKeys } from './segment/keys/add-segment-keys.js';
import { type RemoveSegmentKeys, removeSegmentKeys } from './segment/keys/remove-segment-keys.js';
import {
  type ReplaceSegmentKeys,
  replaceSegmentKeys,
} from './segment/keys/replace-segment-keys.js';
import { requireAffordable, withRegexBudget } from './rules/regex-budget.js';
import { boundedSegmentEvents } from './segment/keys/key-events.js';
import { type CreateSegment, createSegment } from './segment/lifecycle/create-segment.js';
import { type DeleteSegment, deleteSegment } from './segment/lifecycle/delete-segment.js';
import { type ImportSegment, importSegment } from './segment/lifecycle/import-segment.js';
import { type RestoreSegment, restoreSegment } from './segment/lifecycle/restore-segment.js';
import { type RevertSegment, revertSegment } from './segment/lifecycle/revert-segment.js';
import { type AddSegmentRule, addSegmentRule } from './segment/rules/add-segment-rule.js';
import { type ChangeSegmentRule, changeSegmentRule } from './segment/rules/change-segment-rule.js';
import { type MoveSegmentRule, moveSegmentRule } from './segment/rules/move-segment-rule.js';
import { type RemoveSegmentRule, removeSegmentRule } from './segment/rules/remove-segment-rule.js';
import {
  type ReplaceSegmentRules,
  replaceSegmentRules,
} from './segment/rules/replace-segment-rules.js';

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
