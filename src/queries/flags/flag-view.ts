import { type FlagContent } from '../../domain/flag/events.js';
import { contentOf, type ExistingFlag } from '../../domain/flag/flag.js';
import { type Position } from '../../domain/position.js';
import { type Fact, type Provenance, provenanceOf, timeText } from '../provenance.js';

/** How a flag was at one log position. */
export type FlagView = Omit<FlagContent, 'projectId'> &
  Readonly<{
    status: ExistingFlag['status'];
    /** What a deleted flag was before; null for a live one. */
    statusBefore: 'active' | 'archived' | null;
    /** Of its stream; grows by one with each change. */
    revision: number;
    createdAt: string;
    updatedAt: string;
    /** The event that made it what it was; of a deleted flag, its deletion. */
    lastChange: Provenance;
    /** When the next change came; null while nothing has. */
    heldUntil: Readonly<{ position: Position; recordedAt: string }> | null;
  }>;

/** What a view is made of; `last` is the event that led to `state`, `next` the one after it. */
export type FlagMoment = Readonly<{
  state: ExistingFlag;
  createdAt: string | Date;
  last: Fact;
  next?: Readonly<{ position: Position; recordedAt: string | Date }> | undefined;
}>;

/** Of a deleted flag; null for a live one. */
export const statusBefore = (flag: ExistingFlag): FlagView['statusBefore'] =>
  flag.status === 'deleted' ? flag.statusBefore : null;

export const flagView = ({ state, createdAt, last, next }: FlagMoment): FlagView => {
  const { projectId, ...content } = contentOf(state);
  return {
    ...content,
    status: state.status,
    statusBefore: statusBefore(state),
    revision: last.revision,
    createdAt: timeText(createdAt),
    updatedAt: timeText(last.recordedAt),
    lastChange: provenanceOf(last),
    heldUntil: next ? { position: next.position, recordedAt: timeText(next.recordedAt) } : null,
  };
};
