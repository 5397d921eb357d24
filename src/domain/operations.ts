import { type Event } from './decider.js';
import { type EventPlace } from './skipped-events.js';

/** How much an operator should care. */
export type Severity = 'info' | 'warning' | 'critical';

/** Settings by variable; a secret, or a URL that may hold one, is only said to be `set`. */
export type ShownConfiguration = Readonly<Record<string, string | number | boolean>>;

// Names and shapes are the storage format: add optional fields, never rename or re-mean.
export type OperationsEvent =
  /** `run`: one life of a process. `changed`: variables that differ from the start before. */
  | Event<
      'ServiceStarted',
      {
        run: string;
        /** RFC 3339, UTC. */
        startedAt: string;
        version: string;
        role: string;
        configuration: ShownConfiguration;
        changed: readonly string[];
        /** False: the run before did not say that it ended. */
        endedBefore: boolean;
        severity: Severity;
      }
    >
  /** `cause`: a signal, or the message of an error. */
  | Event<'ServiceStopped', { run: string; cause: string; severity: Severity }>
  /** `isEqual`: null when there was nothing to compare with. */
  | Event<
      'ReadModelRebuilt',
      {
        events: number;
        /** Digits where a double does not hold it. */
        position: number | string;
        isEqual: boolean | null;
        isInUse: boolean;
        severity: Severity;
      }
    >
  /** One event of a stream that stood still in front of it is skipped. `by`: who ran the program. */
  | Event<
      'EventSkipped',
      {
        stream: string;
        revision: number;
        /** Its place in the log: digits where a double does not hold it. */
        position: number | string;
        type: string;
        /** Why it could not be applied. */
        error: string;
        reason: string;
        by: string;
        severity: Severity;
      }
    >
  /**
   * Events are recorded with times that have not come yet, because a clock had jumped and times of the log never go
   * back. `recordedAt`: the latest one. `clock`: what the process that noticed it takes for now.
   */
  | Event<
      'ClockJumped',
      {
        /** RFC 3339, UTC. */
        recordedAt: string;
        /** RFC 3339, UTC. */
        clock: string;
        severity: Severity;
      }
    >
  /** `keyId`: what signs from now on, or what was removed. `previousKeyId`: null when it is not known. */
  | Event<
      'KeyChanged',
      {
        key: 'audit' | 'access-tokens';
        cause: 'first-seen' | 'rotated' | 'removed';
        keyId: string;
        previousKeyId: string | null;
        severity: Severity;
      }
    >;

type Known = Readonly<{
  status: 'known';
  /** Times of the last starts, RFC 3339, oldest first. */
  starts: readonly string[];
  /** The run that has not said that it ended. */
  run: string | null;
  configuration: ShownConfiguration | null;
  auditKeyId: string | null;
  /** Events that are skipped: `<revision>@<stream>`. */
  skipped: readonly string[];
  /** The latest time that was reported as ahead of a clock, RFC 3339. */
  jumpedTo: string | null;
}>;

/** What is known of one process, or of what processes share. */
export type Operations = Readonly<{ status: 'absent' }> | Known;

export const noOperations: Operations = { status: 'absent' };

/** Before the first event. */
export const NOTHING_KNOWN: Known = {
  status: 'known',
  starts: [],
  run: null,
  configuration: null,
  auditKeyId: null,
  skipped: [],
  jumpedTo: null,
};

export const skippedName = ({ stream, revision }: EventPlace): string => `${revision}@${stream}`;

/** How many starts of one process are recorded in an hour. */
export const STARTS_AN_HOUR = 10;

/** Folds one event into the state. Trusts history: never validates, never throws. */
export const evolveOperations = (before: Operations, event: OperationsEvent): Operations => {
  const known = before.status === 'absent' ? NOTHING_KNOWN : before;
  switch (event.type) {
    case 'ServiceStarted': {
      const { run, configuration, startedAt } = event.data;
      const starts = [...known.starts, startedAt].slice(-STARTS_AN_HOUR);
      return { ...known, starts, run, configuration };
    }
    case 'ServiceStopped':
      return { ...known, run: known.run === event.data.run ? null : known.run };
    case 'KeyChanged':
      return event.data.key === 'audit' ? { ...known, auditKeyId: event.data.keyId } : known;
    case 'EventSkipped':
      return { ...known, skipped: [...known.skipped, skippedName(event.data)] };
    case 'ClockJumped':
      return { ...known, jumpedTo: event.data.recordedAt };
    case 'ReadModelRebuilt':
      return known;
  }
};
