import { type Decider } from '../../domain/decider.js';
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
