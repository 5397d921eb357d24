import { positionInJson } from '../../domain/position.js';
import { type Step } from '../fold/fold.js';
import { type Tracked } from '../fold/tracked.js';

/**
 * The range for which a step's state held, half-open in positions and in time. Open (null) until the next step of
 * its stream; closed at once when that is among the same steps.
 */
export type Held<T extends Tracked> = Readonly<{
  after: T;
  revision: number;
  /** The one before, whose range this one ends; no column. */
  previous: number;
  position_from: string | number;
  position_to: string | number | null;
  recorded_from: string;
  recorded_to: string | null;
}>;

/** A step's states with their ranges, in log order, for one category of streams. */
export const heldStates = <T extends Tracked>(
  steps: readonly Step[],
  isOfCategory: (tracked: Tracked) => tracked is T,
): readonly Held<T>[] => {
  const next = new Map<string, Step>();
  const held: Held<T>[] = [];
  for (const step of steps.toReversed()) {
    if (!isOfCategory(step.after)) continue;
    const { stream, revision, position, recordedAt } = step.event;
    const end = next.get(stream)?.event;
    next.set(stream, step);
    held.push({
      after: step.after,
      revision,
      previous: step.previous,
      position_from: positionInJson(position),
      position_to: end === undefined ? null : positionInJson(end.position),
      recorded_from: recordedAt,
      recorded_to: end?.recordedAt ?? null,
    });
  }
  return held.reverse();
};

export type Current<T extends Tracked> = Readonly<{
  after: T;
  createdAt: string;
  updatedAt: string;
}>;

/** The last state of each stream. `createdAt` is that of its first step here: right for a new stream only. */
export const currentStates = <T extends Tracked>(
  steps: readonly Step[],
  isOfCategory: (tracked: Tracked) => tracked is T,
): readonly Current<T>[] => {
  const current = new Map<string, Current<T>>();
  for (const { event, after } of steps) {
    if (!isOfCategory(after)) continue;
    const createdAt = current.get(event.stream)?.createdAt ?? event.recordedAt;
    current.set(event.stream, { after, createdAt, updatedAt: event.recordedAt });
  }
  return [...current.values()];
};
