import { type LogEvent } from '../event-log.js';
import { foldEvents, type Step } from './fold.js';
import { type Tracked } from './tracked.js';

/**
 * Folds the events of a parked stream, from the one that it stands at on, over what it was in front of that. `recordedAt`:
 * the time that each has in the rows. Pure.
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
