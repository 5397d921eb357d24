import { type Decider } from '../domain/decider.js';
import { type FlagEvent } from '../domain/flag/events.js';
import { absentFlag, evolveFlag, type Flag } from '../domain/flag/flag.js';
import { type Project } from '../domain/project/project.js';
import { type ClausePorts } from '../domain/targeting/valid-clauses.js';
import { type AddTargets, addTargets } from './flag/configuration/add-targets.js';
import { type ChangeFlagDetails, changeFlagDetails } from './flag/configuration/change-details.js';
import {
  type ChangeOffVariant,
  changeOffVariant,
} from './flag/configuration/change-off-variant.js';
import { type ChangeRollout, changeRollout } from './flag/configuration/change-rollout.js';
import { type ChangeTargets, changeTargets } from './flag/configuration/change-targets.js';
import { type ChangeVariants, changeVariants } from './flag/configuration/change-variants.js';
import { type DisableFlag, disableFlag } from './flag/configuration/disable-flag.js';
import { type EnableFlag, enableFlag } from './flag/configuration/enable-flag.js';
import { type PromoteFlag, promoteFlag } from './flag/configuration/promote-flag.js';
import { type RemoveTargets, removeTargets } from './flag/configuration/remove-targets.js';
import {
  type SetRolloutPercentage,
  setRolloutPercentage,
} from './flag/configuration/set-rollout-percentage.js';
import { requireAffordable, withRegexBudget } from './rules/regex-budget.js';
import { boundedFlagEvents } from './flag/configuration/target-events.js';
import { type ArchiveFlag, archiveFlag } from './flag/lifecycle/archive-flag.js';
import { type CopyFlag, copyFlag } from './flag/lifecycle/copy-flag.js';
import { type CreateFlag, createFlag } from './flag/lifecycle/create-flag.js';
import { type DeleteFlag, deleteFlag } from './flag/lifecycle/delete-flag.js';
import { type ImportFlag, importFlag } from './flag/lifecycle/import-flag.js';
import { type RestoreFlag, restoreFlag } from './flag/lifecycle/restore-flag.js';
import { type RevertFlagIn, revertFlagIn } from './flag/lifecycle/revert-flag-in.js';
import { type RevertFlag, revertFlag } from './flag/lifecycle/revert-flag.js';
import { type UnarchiveFlag, unarchiveFlag } from './flag/lifecycle/unarchive-flag.js';
import { type AddRule, addRule } from './flag/targeting/add-rule.js';
import {
  type ChangePrerequisites,
  changePrerequisites,
} from './flag/targeting/change-prerequisites.js';
import { type ChangeRule, changeRule } from './flag/targeting/change-rule.js';
import { type MoveRule, moveRule } from './flag/targeting/move-rule.js';
import { type RemoveRule, removeRule } from './flag/targeting/remove-rule.js';
import { type ReplaceRules, replaceRules } from './flag/targeting/replace-rules.js';
import { requireProject } from './project/guards.js';

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

const decideWith =
  (ports: ClausePorts) =>
  (command: FlagCommand, flag: Flag, project: Project): readonly FlagEvent[] => {
    requireProject(project);
    switch (command.type) {
      case 'AddRule':
        return addRule(ports)(command, flag, project);
      case 'AddTargets':
        return addTargets(command, flag, project);
      case 'ArchiveFlag':
        return archiveFlag(command, flag);
      case 'ChangeFlagDetails':
        return changeFlagDetails(command, flag);
      case 'ChangeOffVariant':
        return changeOffVariant(command, flag, project);
      case 'ChangePrerequisites':
        return changePrerequisites(command, flag, project);
      case 'ChangeRule':
        return changeRule(ports)(command, flag, project);
      case 'ChangeRollout':
        return changeRollout(command, flag, project);
      case 'ChangeTargets':
        return changeTargets(command, flag, project);
      case 'ChangeVariants':
        return changeVariants(command, flag);
      case 'CopyFlag':
        return copyFlag(command, flag);
      case 'CreateFlag':
        return createFlag(command, flag);
      case 'DeleteFlag':
        return deleteFlag(command, flag);
      case 'DisableFlag':
        return disableFlag(command, flag, project);
      case 'EnableFlag':
        return enableFlag(command, flag, project);
      case 'ImportFlag':
        return importFlag(command, flag, project);
      case 'MoveRule':
        return moveRule(command, flag, project);
      case 'PromoteFlag':
        return promoteFlag(command, flag, project);
      case 'RemoveRule':
        return removeRule(command, flag, project);
      case 'ReplaceRules':
        return replaceRules(ports)(command, flag, project);
      case 'RemoveTargets':
        return removeTargets(command, flag, project);
      case 'RestoreFlag':
        return restoreFlag(command, flag);
      case 'RevertFlag':
        return revertFlag(command, flag, project);
      case 'RevertFlagIn':
        return revertFlagIn(command, flag, project);
      case 'SetRolloutPercentage':
        return setRolloutPercentage(command, flag, project);
      case 'UnarchiveFlag':
        return unarchiveFlag(command, flag);
    }
  };

/** Everything that can be asked of a flag. Every command on a flag of a project that is not active is refused. */
export const flagDecider = (
  ports: ClausePorts,
): Decider<Flag, FlagCommand, FlagEvent, Project> => ({
  initialState: absentFlag,
  evolve: evolveFlag,
  decide: (command, flag, project) => {
    const events = decideWith(withRegexBudget(ports))(command, flag, project);
    for (const { type, data } of events)
      if (type === 'FlagRulesChanged') requireAffordable(data.rules, ports);
    return boundedFlagEvents(flag, events);
  },
});
