import {
  type Configuration,
  type FlagType,
  type Variant,
} from '../../domain/flag/configuration.js';
import { type FlagContent } from '../../domain/flag/events.js';
import { configurationOf, type ExistingFlag } from '../../domain/flag/flag.js';
import { type Position } from '../../domain/position.js';
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
  position: Position;
  updatedAt: string;
}>;

/** Every flag of an environment that was not deleted, by key. */
export type EnvironmentView = Readonly<{
  project: string;
  environment: Environment;
  flags: readonly EnvironmentFlag[];
}>;

type Taken = Pick<FlagState, 'revision' | 'position' | 'recordedAt'>;

export const environmentFlag = (
  flag: Omit<FlagContent, 'projectId'> & Pick<ExistingFlag, 'status'>,
  { revision, position, recordedAt }: Taken,
  environment: string,
): EnvironmentFlag => ({
  key: flag.key,
  name: flag.name,
  type: flag.type,
  status: flag.status,
  variants: flag.variants,
  salt: flag.salt,
  configuration: configurationOf(flag, environment),
  hasOwnConfiguration: Object.hasOwn(flag.environments, environment),
  revision,
  position,
  updatedAt: timeText(recordedAt),
});
