import {
  type Configuration,
  type FlagType,
  type Variant,
} from '../../domain/flag/configuration.js';
import { configurationOf, type ExistingFlag } from '../../domain/flag/flag.js';
import { type Environment } from '../../domain/project/project.js';
import { timeText } from '../provenance.js';
import { type FlagState } from '../state-source.js';

/** A flag as it was in one environment. */
export type EnvironmentFlag = Readonly<{
  key: string;
  name: string;
  type: FlagType;
  status: ExistingFlag['status'];
  variants: readonly Variant[];
  salt: string;
  configuration: Configuration;
  /** False: the environment had none of its own, and the flag's defaults held. */
  hasOwnConfiguration: boolean;
  /** Of the flag; with the position and time of the change that led to it. */
  revision: number;
  position: number;
  updatedAt: string;
}>;

/** Every flag of an environment that was not deleted, by key. */
export type EnvironmentView = Readonly<{
  project: string;
  environment: Environment;
  flags: readonly EnvironmentFlag[];
}>;

export const environmentFlag = (
  { state, revision, position, recordedAt }: FlagState,
  environment: string,
): EnvironmentFlag => ({
  key: state.key,
  name: state.name,
  type: state.type,
  status: state.status,
  variants: state.variants,
  salt: state.salt,
  configuration: configurationOf(state, environment),
  hasOwnConfiguration: Object.hasOwn(state.environments, environment),
  revision,
  position,
  updatedAt: timeText(recordedAt),
});
