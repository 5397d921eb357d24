import { decideBy, type Decider, type Decisions } from '../../domain/decider.js';
import { type FlagEvent } from '../../domain/flag/events.js';
import { absentFlag, evolveFlag, type Flag } from '../../domain/flag/flag.js';
import { type Project } from '../../domain/project.js';
import { type ClausePorts } from '../../domain/targeting/valid-clauses.js';
import { requireProject } from '../project/guards.js';
import { requireAffordable, withRegexBudget } from '../regex-budget.js';
import {
  type ChangeFlagDetails,
  changeFlagDetails,
  type ChangeOffVariant,
  changeOffVariant,
  type ChangeVariants,
  changeVariants,
  type DisableFlag,
  disableFlag,
  type EnableFlag,
  enableFlag,
  type PromoteFlag,
  promoteFlag,
} from './configuration.js';
import { type ImportFlag, importFlag } from './import-flag.js';
import {
  type ArchiveFlag,
  archiveFlag,
  type CopyFlag,
  copyFlag,
  type CreateFlag,
  createFlag,
  type DeleteFlag,
  deleteFlag,
  type RestoreFlag,
  restoreFlag,
  type RevertFlag,
  revertFlag,
  type UnarchiveFlag,
  unarchiveFlag,
} from './lifecycle.js';
import { type RevertFlagIn, revertFlagIn } from './revert-flag-in.js';
import {
  type ChangeRollout,
  changeRollout,
  type SetRolloutPercentage,
  setRolloutPercentage,
} from './rollout.js';
import {
  type AddRule,
  addRule,
  type ChangeRule,
  changeRule,
  type MoveRule,
  moveRule,
  type RemoveRule,
  removeRule,
  type ReplaceRules,
  replaceRules,
} from './rules.js';
import { boundedFlagEvents } from './target-events.js';
import {
  type AddTargets,
  addTargets,
  type ChangePrerequisites,
  changePrerequisites,
  type ChangeTargets,
  changeTargets,
  type RemoveTargets,
  removeTargets,
} from './targets.js';

export type FlagCommand =
  | AddRule
  | AddTargets
  | ArchiveFlag
  | ChangeFlagDetails
  | ChangeOffVariant
  | ChangePrerequisites
  | ChangeRollout
  | ChangeRule
  | ChangeTargets
  | ChangeVariants
  | CopyFlag
  | CreateFlag
  | DeleteFlag
  | DisableFlag
  | EnableFlag
  | ImportFlag
  | MoveRule
  | PromoteFlag
  | RemoveRule
  | RemoveTargets
  | ReplaceRules
  | RestoreFlag
  | RevertFlag
  | RevertFlagIn
  | SetRolloutPercentage
  | UnarchiveFlag;

const decisionsWith = (ports: ClausePorts): Decisions<FlagCommand, Flag, FlagEvent, Project> => ({
  AddRule: addRule(ports),
  AddTargets: addTargets,
  ArchiveFlag: archiveFlag,
  ChangeFlagDetails: changeFlagDetails,
  ChangeOffVariant: changeOffVariant,
  ChangePrerequisites: changePrerequisites,
  ChangeRule: changeRule(ports),
  ChangeRollout: changeRollout,
  ChangeTargets: changeTargets,
  ChangeVariants: changeVariants,
  CopyFlag: copyFlag,
  CreateFlag: createFlag,
  DeleteFlag: deleteFlag,
  DisableFlag: disableFlag,
  EnableFlag: enableFlag,
  ImportFlag: importFlag,
  MoveRule: moveRule,
  PromoteFlag: promoteFlag,
  RemoveRule: removeRule,
  ReplaceRules: replaceRules(ports),
  RemoveTargets: removeTargets,
  RestoreFlag: restoreFlag,
  RevertFlag: revertFlag,
  RevertFlagIn: revertFlagIn,
  SetRolloutPercentage: setRolloutPercentage,
  UnarchiveFlag: unarchiveFlag,
});

const decide = decideBy<FlagCommand, Flag, FlagEvent, Project>;

/** Everything that can be asked of a flag. Every command on a flag of a project that is not active is refused. */
export const flagDecider = (
  ports: ClausePorts,
): Decider<Flag, FlagCommand, FlagEvent, Project> => ({
  initialState: absentFlag,
  evolve: evolveFlag,
  decide: (command, flag, project) => {
    requireProject(project);
    const events = decide(decisionsWith(withRegexBudget(ports)))(command, flag, project);
    for (const { type, data } of events)
      if (type === 'FlagRulesChanged') requireAffordable(data.rules, ports);
    return boundedFlagEvents(flag, events);
  },
});
