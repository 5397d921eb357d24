import {
  type Configuration,
  type FlagType,
  type Variant,
} from '../../domain/flag/configuration.js';
import { type FlagContent } from '../../domain/flag/events.js';
import { configurationOf, contentOf, type ExistingFlag } from '../../domain/flag/flag.js';
import { type Position } from '../../domain/position.js';
import { type Environment } from '../../domain/project.js';
import {
  type ExistingSegment,
  type SegmentContent,
  segmentContentOf,
} from '../../domain/segment.js';
import { type FlagState, type SegmentState, type StateSource } from '../entities/entity-at.js';
import { type FlagAddress, type FlagView, statusBefore } from '../entities/kinds.js';
import { type Moment } from '../moments.js';
import { environmentIn, type ProjectAddress, type ProjectView } from '../projects.js';
import { timeText } from '../provenance.js';

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
  /** Revision of the flag, with the position and time of the change that led to it. */
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

const environmentFlag = (
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

export type EnvironmentAddress = ProjectAddress & Readonly<{ environment: string }>;

/**
 * Every flag of an environment as it was at a log position, deleted ones left out.
 * @throws DomainError project-not-found, project-not-yet-created, environment-not-found
 */
export const environmentAt =
  (source: StateSource) =>
  async (address: EnvironmentAddress, moment: Moment): Promise<EnvironmentView> => {
    const project = await source.project(address, moment);
    const environment = environmentIn(project, address.environment);
    const states = await source.flags(address, moment);
    const flags = states
      .filter(({ state }) => state.status !== 'deleted')
      .map((row) => environmentFlag(row.state, row, environment.key));
    return { project: project.key, environment, flags };
  };

/**
 * One flag as it was in one environment; a deleted one is an answer too.
 * @throws DomainError project-not-found, project-not-yet-created, environment-not-found, flag-not-found,
 * flag-not-yet-created
 */
export const flagInEnvironment =
  (source: StateSource) =>
  async (address: FlagAddress & EnvironmentAddress, moment: Moment): Promise<EnvironmentFlag> => {
    const { key } = environmentIn(await source.project(address, moment), address.environment);
    const flag = await source.flag(address, moment);
    return environmentFlag(flag, flag.lastChange, key);
  };

/** A flag with everything it had, and where that was taken. */
export type StateOfFlag = Omit<FlagContent, 'projectId'> &
  Readonly<{
    status: ExistingFlag['status'];
    /** What a deleted flag was before; null for a live one. */
    statusBefore: FlagView['statusBefore'];
    revision: number;
    position: Position;
    updatedAt: string;
  }>;

/** A segment with everything it had, and where that was taken. */
type StateOfSegment = Omit<SegmentContent, 'projectId'> &
  Readonly<{
    status: ExistingSegment['status'];
    revision: number;
    position: Position;
    updatedAt: string;
  }>;

/** A project, its environments, and every flag and segment that existed, by key, deleted ones too. */
export type ProjectState = Readonly<{
  project: ProjectView;
  flags: readonly StateOfFlag[];
  segments: readonly StateOfSegment[];
}>;

const stateOfFlag = ({ state, revision, position, recordedAt }: FlagState): StateOfFlag => {
  const { projectId, ...content } = contentOf(state);
  return {
    ...content,
    status: state.status,
    statusBefore: statusBefore(state),
    revision,
    position,
    updatedAt: timeText(recordedAt),
  };
};

const stateOfSegment = ({ state, ...taken }: SegmentState): StateOfSegment => {
  const { projectId, ...content } = segmentContentOf(state);
  const { revision, position, recordedAt } = taken;
  return { ...content, status: state.status, revision, position, updatedAt: timeText(recordedAt) };
};

/**
 * A whole project as it was at a log position.
 * @throws DomainError project-not-found, project-not-yet-created
 */
export const projectState =
  (source: StateSource) =>
  async (address: ProjectAddress, moment: Moment): Promise<ProjectState> => {
    const project = await source.project(address, moment);
    const states = await source.flags(address, moment);
    const segments = await source.segments(address, moment);
    return { project, flags: states.map(stateOfFlag), segments: segments.map(stateOfSegment) };
  };
