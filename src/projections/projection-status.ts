import { type Position } from '../domain/position.js';
import { type Checkpoint } from './checkpoint.js';
import { type Parked, type Poison } from './fold/poison.js';

export type ProjectionState = 'standby' | 'catching-up' | 'live' | 'retrying' | 'poisoned';

/** What `/ready` and the metrics tell of one projection. */
export type ProjectionStatus = Readonly<{
  projection: string;
  state: ProjectionState;
  /** It has caught up with the log since the process started. */
  wasLive: boolean;
  /** Log position applied; -1 before the first. */
  position: Position;
  /** RFC 3339; of the last event applied. */
  recordedAt: string | null;
  /** From the recording of the last event applied to its being visible; 0 before the first. */
  lagMs: number;
  /** Since the process started. */
  eventsApplied: number;
  batchesApplied: number;
  lastBatchMs: number;
  /** Streams that stand still in front of an event that cannot be applied. */
  parked: readonly Parked[];
  /** Set while poisoned. */
  poison?: Poison;
  /** Set while retrying: why. */
  error?: string;
}>;

/** Called after every batch with events, for histograms. */
export type BatchObserver = (
  batch: Readonly<{ projection: string; events: number; durationMs: number; lagMs: number }>,
) => void;

/** What the projectors need of a logger; pino's shape. */
export type ProjectionLog = Readonly<
  Record<'info' | 'warn' | 'error', (details: object, message: string) => void>
>;

const messageOf = (error: unknown): string =>
  error instanceof Error && error.message !== '' ? error.message : String(error);

type StatusSources = Readonly<{
  observe?: BatchObserver | undefined;
  parked?: () => readonly Parked[];
}>;

/** Keeps one projection's status and logs its turns: never once per retry. */
export const statusReporter = (
  projection: string,
  log: ProjectionLog,
  { observe = () => undefined, parked = () => [] }: StatusSources = {},
) => {
  let status: Omit<ProjectionStatus, 'parked'> = {
    projection,
    state: 'standby',
    wasLive: false,
    position: -1,
    recordedAt: null,
    lagMs: 0,
    eventsApplied: 0,
    batchesApplied: 0,
    lastBatchMs: 0,
  };
  /** True while retrying only because of `unreachable`. */
  let isIdle = false;
  const turn = (state: ProjectionState, more: Partial<ProjectionStatus> = {}): void => {
    const { poison: _poison, error: _error, ...lasting } = status;
    status = { ...lasting, ...more, state };
  };
  return {
    current: (): ProjectionStatus => ({ ...status, parked: parked() }),
    standby: (): void => {
      if (status.state !== 'poisoned') turn('standby');
    },
    /** Whether anybody writes is not known: who leads cannot be asked. */
    leaderless: (error: unknown): void => {
      const isNew = status.error !== messageOf(error);
      if (isNew) log.warn({ projection, err: error }, 'projection has no leader');
      if (status.state !== 'poisoned') turn('retrying', { error: messageOf(error) });
    },
    /** A retry is over only when a batch is applied, not when it begins. */
    resumed: ({ position, recordedAt }: Checkpoint): void => {
      if (status.state !== 'retrying') turn('catching-up');
      status = { ...status, position, recordedAt };
    },
    applied: (
      { position, recordedAt }: Checkpoint,
      {
        events,
        durationMs,
        isCaughtUp,
      }: { events: number; durationMs: number; isCaughtUp: boolean },
    ): void => {
      const state = isCaughtUp ? 'live' : 'catching-up';
      if (status.state !== state && status.state !== 'live')
        log.info({ projection, position }, `projection is ${state}`);
      turn(state, { position, recordedAt, wasLive: status.wasLive || isCaughtUp });
      if (events === 0) return;
      const lagMs = Math.max(0, Date.now() - Date.parse(recordedAt ?? ''));
      status = {
        ...status,
        lagMs,
        eventsApplied: status.eventsApplied + events,
        batchesApplied: status.batchesApplied + 1,
        lastBatchMs: durationMs,
      };
      observe({ projection, events, durationMs, lagMs });
    },
    retrying: (error: unknown): void => {
      const message = messageOf(error);
      const isNew = status.state !== 'retrying' || status.error !== message;
      if (isNew)
        log.warn({ projection, position: status.position, err: error }, 'projection retries');
      turn('retrying', { error: message });
      isIdle = false;
    },
    /** What it writes to cannot be reached, seen while there was nothing to write. */
    unreachable: (error: unknown): void => {
      if (status.state !== 'live') return;
      log.warn({ projection, err: error }, 'projection cannot reach what it writes to');
      turn('retrying', { error: messageOf(error) });
      isIdle = true;
    },
    reachable: (): void => {
      if (status.state === 'retrying' && isIdle) turn('live');
      isIdle = false;
    },
    parked: (streams: readonly Parked[]): void => {
      for (const stream of streams)
        log.error({ projection, ...stream }, 'a stream is parked: its event cannot be applied');
    },
    poisoned: (poison: Poison): void => {
      log.error({ ...poison }, 'projection stopped in front of an event that it cannot apply');
      turn('poisoned', { poison });
    },
  };
};

export type StatusReporter = ReturnType<typeof statusReporter>;
