import { type Position } from '../../domain/position.js';
import { parseStream } from '../../domain/streams.js';
import {
  type Applied,
  freshEvents,
  missed,
  newlyParked,
  reached,
} from '../../projections/apply-batch.js';
import { BEGINNING, type Checkpoint } from '../../projections/checkpoint.js';
import {
  type CurrentStates,
  type EvaluationSnapshot,
  evaluationSnapshot,
  type SnapshotDelta,
} from '../../projections/evaluation-snapshot.js';
import { type EventLog, type LogBatch, type LogEvent } from '../../projections/event-log.js';
import { foldEvents, NO_EXCEPTIONS, type Step } from '../../projections/fold/fold.js';
import { acrossForeign } from '../../projections/foreign-gaps.js';
import { parkedOf, type PoisonEvent } from '../../projections/fold/poison.js';
import { replayedSteps, streamSteps } from '../../projections/fold/replay.js';
import { behindSkipped } from '../../projections/fold/tracked.js';
import { eventsUpTo, skippedIn } from '../../projections/refold-stream.js';
import { type Consumer } from '../../projections/run-projection.js';
import { type PersonalSnapshot } from '../personal-data/revealed-snapshot.js';
import { type RedisSnapshot, type Stand } from './snapshot.js';

export const EVALUATION_SNAPSHOT = 'evaluation_snapshot';

/** A change in a stream of changes is visible at most this much later. */
const PACE_MS = 10;

/** Redis was changed by someone else while we refilled it. */
class RefillOvertaken extends Error {
  override readonly name = 'RefillOvertaken';
}

export type RedisProjectorOptions = Readonly<{
  redis: RedisSnapshot;
  loadCurrentStates: () => Promise<CurrentStates>;
  /** Where events that wait behind one that could not be applied are read again. */
  eventLog: Pick<EventLog, 'readStream'>;
  personal: PersonalSnapshot;
  /** Asked before all of Redis is replaced. @throws when this process does not lead any more */
  confirm: () => Promise<void>;
}>;

const storedAt = (event: LogEvent): string => event.recordedAt;

/** Other streams are in no ruleset; their revisions are not known here. */
const concernsRulesets = ({ stream }: Pick<LogEvent, 'stream'>): boolean => {
  const category = parseStream(stream)?.category;
  return category === 'project' || category === 'flag' || category === 'segment';
};

/** One at a time, in the order of the calls. */
const oneByOne = () => {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work, work);
    last = next.catch(() => undefined);
    return next;
  };
};

/**
 * The consumer that keeps Redis equal to the log. It holds all states in memory, so Redis can be filled at any
 * moment, whatever happened to it; Postgres is asked once, at the start.
 */
export const redisProjector = ({
  redis,
  loadCurrentStates,
  eventLog,
  personal,
  confirm,
}: RedisProjectorOptions) => {
  const serially = oneByOne();
  let memory: EvaluationSnapshot | undefined;
  let checkpoint: Checkpoint = BEGINNING;
  /** Where Redis must stand; undefined until it is known to be equal to the memory. */
  let expected: Stand | undefined;
  /** Where Redis stood at the start. It may be ahead of Postgres: then we follow the log up to there first. */
  let ahead: Position = -1;
  /** Somebody was erased: Redis, and its stream of changes, may hold who it was until all of it is replaced. */
  let isErasing = false;
  /** Taken into the memory, and not known to be in Redis. */
  let pending: Readonly<{ to: Checkpoint; delta: SnapshotDelta }> | undefined;

  const refill = async (snapshot: EvaluationSnapshot): Promise<void> => {
    await confirm();
    const stand = await redis.refill(checkpoint, await personal.contents(snapshot.contents()));
    if (stand === undefined) throw new RefillOvertaken('Another process writes to Redis.');
    expected = stand;
    pending = undefined;
    isErasing = false;
  };

  const differences = async (snapshot: EvaluationSnapshot): Promise<readonly string[]> =>
    redis.differences(await personal.contents(snapshot.contents()));

  const reconcile = async (snapshot: EvaluationSnapshot): Promise<void> => {
    const stand = await redis.stand();
    const isUsable =
      stand !== undefined &&
      !isErasing &&
      stand.position <= checkpoint.position &&
      stand.position >= (await personal.lastErasure());
    const differs = !isUsable || (await differences(snapshot)).length > 0;
    if (differs) await refill(snapshot);
    else expected = stand;
    pending = undefined;
  };

  const write = async (snapshot: EvaluationSnapshot, from: Stand): Promise<void> => {
    if (isErasing) {
      await refill(snapshot);
      return;
    }
    if (pending === undefined) return;
    const { to, delta } = pending;
    const outcome = await redis.apply(from, to, await personal.delta(delta));
    const target = { position: to.position, generation: from.generation };
    const isThere =
      outcome === 'written' ||
      // An earlier attempt was written after all, only its answer was lost.
      (outcome?.position === target.position && outcome.generation === target.generation);
    if (!isThere) {
      await refill(snapshot);
      return;
    }
    expected = target;
    pending = undefined;
  };

  /** Brings Redis to where the memory is. */
  const settle = async (snapshot: EvaluationSnapshot, isLastChance: boolean): Promise<void> => {
    if (expected !== undefined) await write(snapshot, expected);
    else if (isLastChance || checkpoint.position >= ahead) await reconcile(snapshot);
  };

  /** What becomes of the streams of which the events say that one of theirs is skipped. */
  const refold = async (
    snapshot: EvaluationSnapshot,
    [events, upTo]: readonly [said: readonly LogEvent[], position: Position],
  ): Promise<readonly Step[]> => {
    snapshot.skip(events);
    const exceptions = { ...NO_EXCEPTIONS, skipped: snapshot.skipped(), recordedAt: storedAt };
    const steps: Step[] = [];
    for (const stream of skippedIn(events)) {
      if (!concernsRulesets({ stream })) continue;
      const all = await eventsUpTo(eventLog, stream, [0, upTo]);
      steps.push(...streamSteps(all, undefined, exceptions));
    }
    return steps;
  };

  const load = async (): Promise<EvaluationSnapshot> => {
    ahead = (await redis.stand())?.position ?? -1;
    const states = await loadCurrentStates();
    const { position, recordedAt, applied } = states;
    checkpoint = { position: position ?? -1, recordedAt, applied: applied ?? -1 };
    const snapshot = evaluationSnapshot(states);
    for (const [stream, parked] of snapshot.parked()) {
      const { since, position } = parked;
      const events = await eventsUpTo(eventLog, stream, [since.revision, position]);
      const skipped = snapshot.skipped();
      const before = behindSkipped(stream, snapshot.stateOf(stream), skipped, since.revision);
      const whole = await acrossForeign(eventLog, events, () => before);
      const steps = replayedSteps(whole, before, { skipped, recordedAt: storedAt });
      if (steps === undefined) continue;
      snapshot.apply(steps);
      const said = steps.map(({ event }) => event);
      snapshot.apply(await refold(snapshot, [said, checkpoint.applied]));
    }
    return snapshot;
  };

  /** Finds an event up to the last one applied that is in no state. */
  const findMissed = (
    snapshot: EvaluationSnapshot,
    { events }: LogBatch,
  ): PoisonEvent | undefined => {
    const first = events.find(
      (event) =>
        event.position <= checkpoint.applied &&
        concernsRulesets(event) &&
        (snapshot.lookUp(event.stream)?.revision ?? -1) < event.revision,
    );
    return first && missed(first, checkpoint);
  };

  const take = async (snapshot: EvaluationSnapshot, batch: LogBatch): Promise<Applied> => {
    const gap = findMissed(snapshot, batch);
    if (gap !== undefined) return { checkpoint, events: 0, parked: [], poison: gap };
    const events = freshEvents(batch.events, checkpoint);
    const { lookUp } = snapshot;
    const whole = await acrossForeign(eventLog, events.filter(concernsRulesets), lookUp);
    const exceptions = { ...NO_EXCEPTIONS, skipped: snapshot.skipped() };
    const folded = foldEvents(whole, lookUp, checkpoint.recordedAt, exceptions);
    const refolded = await refold(snapshot, [events, events.at(-1)?.position ?? -1]);
    const delta = snapshot.apply([...folded.steps, ...refolded]);
    if (events.some(({ type }) => type === 'SubjectErased')) {
      personal.forget();
      isErasing = true;
    }
    const before = checkpoint;
    const { steps } = folded;
    const stand = reached(checkpoint, batch, { steps });
    // Also those that are in no ruleset.
    checkpoint = { ...stand, applied: events.at(-1)?.position ?? stand.applied };
    if (checkpoint.applied > before.applied) pending = { to: checkpoint, delta };
    return { checkpoint, events: steps.length, parked: newlyParked([...steps, ...refolded]) };
  };

  const consumer: Consumer = {
    projection: EVALUATION_SNAPSHOT,
    paceMs: PACE_MS,
    resume: () =>
      serially(async () => {
        memory ??= await load();
        await settle(memory, false);
        return { ...checkpoint, from: checkpoint.applied };
      }),
    apply: (batch) =>
      serially(async () => {
        if (memory === undefined) throw new Error('Resume first.');
        const applied = await take(memory, batch);
        await settle(memory, batch.isCaughtUp || applied.poison !== undefined);
        return applied;
      }),
    parked: () => [...(memory?.parked() ?? [])].map(([stream, parked]) => parkedOf(stream, parked)),
  };

  return {
    consumer,
    /** Fills Redis again when it was flushed, has lost keys or was changed by others. Cheap when it was not. */
    check: () =>
      serially(async () => {
        if (memory === undefined || expected === undefined || pending !== undefined) return;
        const stand = await redis.stand();
        const isAsLeft =
          stand?.position === expected.position && stand.generation === expected.generation;
        if (!isAsLeft || !(await redis.isWhole())) await refill(memory);
      }),
    /** Compares all of Redis with the states. @returns what differs, in words; undefined before the first load */
    verify: () => serially(async () => (memory === undefined ? undefined : differences(memory))),
  };
};

export type RedisProjector = ReturnType<typeof redisProjector>;
