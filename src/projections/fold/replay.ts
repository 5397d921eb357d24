import { type LogEvent } from '../event-log.js';
import { type Exceptions, foldEvents, NO_EXCEPTIONS, type Step } from './fold.js';
import { type Tracked } from './tracked.js';

/** `recordedAt`: the time that an event has in the rows. */
type StreamFold = Exceptions & Readonly<{ recordedAt: (event: LogEvent) => string }>;

/** Folds events of one stream over what it was in front of them. Pure. */
export const streamSteps = (
  events: readonly LogEvent[],
  before: Tracked | undefined,
  { recordedAt, ...exceptions }: StreamFold,
): readonly Step[] => {
  const steps: Step[] = [];
  let tracked = before;
  for (const event of events) {
    const folded = foldEvents([event], () => tracked, recordedAt(event), exceptions);
    steps.push(...folded.steps);
    tracked = folded.steps[0]?.after;
  }
  return steps;
};

/**
 * Folds the events of a parked stream, from the one that it stands at on, over what it was in front of that. Pure.
 * @returns undefined when it still cannot be applied
 */
export const replayedSteps = (
  events: readonly LogEvent[],
  before: Tracked | undefined,
  exceptions: Pick<StreamFold, 'skipped' | 'recordedAt'>,
): readonly Step[] | undefined => {
  const steps = streamSteps(events, before, { ...NO_EXCEPTIONS, ...exceptions });
  return steps[0] === undefined || steps[0].after.category === 'parked' ? undefined : steps;
};
