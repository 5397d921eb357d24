import { type FlagContent } from '../../domain/flag/events.js';
import { contentOf, type ExistingFlag } from '../../domain/flag/flag.js';
import { type Position } from '../../domain/position.js';
import { type FlagView, statusBefore } from '../flags/flag-view.js';
import { type SegmentContent } from '../../domain/segment/events.js';
import { type ExistingSegment, segmentContentOf } from '../../domain/segment/segment.js';
import { type Moment } from '../moments/resolve-moment.js';
import { type ProjectAddress } from '../projects/get-project.js';
import { type ProjectView } from '../projects/project-view.js';
import { timeText } from '../provenance.js';
import { type FlagState, type SegmentState, type StateSource } from '../state-source.js';

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
export type StateOfSegment = Omit<SegmentContent, 'projectId'> &
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
