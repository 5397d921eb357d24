import { type LogEvent } from '../event-log.js';
import { foldEvents, isOther, type Step, type Tracked, type TrackedParked } from './fold.js';
import { parseStream } from '../../domain/streams.js';

/** What a parked stream was in front of the event that it stands at; `held`: its state in the rows, if it has one. */
export const beneath = (
  stream: string,
  { since }: TrackedParked,
  held: Tracked | undefined,
): Tracked | undefined => {
  const category = parseStream(stream)?.category;
  if (!isOther(category)) return held;
  return since.revision === 0
    ? undefined
    : { category, revision: since.revision - 1, position: since.position - 1 };
};

/**
 * Folds the events of a parked stream, from the one that it stands at on. `recordedAt`: the time that each has in the
 * rows. Pure.
 * @returns undefined when it still cannot be applied
 */
export const replayedSteps = (
  events: readonly LogEvent[],
  before: Tracked | undefined,
  recordedAt: (event: LogEvent) => string,
): readonly Step[] | undefined => {
  const steps: Step[] = [];
  let tracked = before;
  for (const event of events) {
    const folded = foldEvents([event], () => tracked, recordedAt(event));
    steps.push(...folded.steps);
    tracked = folded.steps[0]?.after;
  }
  return steps[0] === undefined || steps[0].after.category === 'parked' ? undefined : steps;
};
