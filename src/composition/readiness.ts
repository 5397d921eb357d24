import { type Readiness } from '../api/health.js';
import { type Logger } from 'pino';
import { type Position, positionInJson } from '../domain/position.js';
import { reasonOf } from '../infrastructure/check-services.js';
import { withDeadline } from '../infrastructure/waiting.js';
import { type RulesetStatus } from '../infrastructure/rulesets/supply.js';
import { differencesIn, type VerificationStatus } from '../jobs/verification.js';
import { type ProjectionStatus } from '../projections/projection-status.js';

/** A stall of a second is no outage. */
const PROBE_MS = 2_000;

/** Parked streams that /ready tells of. */
const SHOWN = 10;

const placed = ({ position, type }: Readonly<{ position: Position; type: string }>) => ({
  position: positionInJson(position),
  type,
});

/** Everybody may ask: what an event or a flag is called stands in the log of the process only. */
const projectionReadiness = ({
  projection,
  state,
  poison,
  parked,
  error: reason,
  wasLive,
  ...details
}: ProjectionStatus): Readiness => ({
  name: projection,
  // Until it has caught up for the first time, what it holds may be anything.
  isReady: state === 'live' || state === 'standby' || (state === 'catching-up' && wasLive),
  reason,
  isDegraded: parked.length > 0,
  details: {
    state,
    ...details,
    position: positionInJson(details.position),
    parkedStreams: parked.length,
    ...(parked.length > 0 && {
      parked: parked.slice(0, SHOWN).map(placed),
    }),
    ...(poison && { poison: placed(poison) }),
  },
});

const rulesetReadiness = ({ isDegraded, source, ...details }: RulesetStatus): Readiness => ({
  name: 'rulesets',
  isReady: !isDegraded,
  details: {
    source,
    ...details,
    position: details.position === null ? null : positionInJson(details.position),
  },
});

/** Before the first run there is nothing to hold against it. */
const verificationReadiness = (last: VerificationStatus | undefined): Readiness => ({
  name: 'verification',
  isReady: last === undefined || differencesIn(last) === 0,
  ...(last === undefined
    ? { details: { ranAt: null, differences: 0 } }
    : {
        isDegraded: last.readModel.deleted.length > 0,
        details: {
          ranAt: last.ranAt,
          differences: differencesIn(last),
          organizations: last.organizations,
          streams: last.readModel.streams,
          rows: last.readModel.rows,
          deletedStreams: last.readModel.deleted.length,
          redisEnvironments: last.redis?.environments ?? null,
        },
      }),
});

/** For information: when no place outside can be reached, everything that clients ask for still works. */
const checkpointReadiness = (failing: readonly string[]): Readiness => ({
  name: 'checkpoints',
  isReady: true,
  details: { failing: failing.length },
});

/** Whether a backing service answers, asked now; those who ask meanwhile share the answer. */
const reachability = (name: string, ask: () => Promise<unknown>) => {
  let asking: Promise<Readiness> | undefined;
  const probe = async (): Promise<Readiness> => {
    try {
      await withDeadline(ask(), PROBE_MS, () => new Error(`No answer in ${PROBE_MS} ms.`));
      return { name, isReady: true, details: {} };
    } catch (error) {
      return { name, isReady: false, reason: reasonOf(error), details: {} };
    } finally {
      asking = undefined;
    }
  };
  return (): Promise<Readiness> => (asking ??= probe());
};

/** What a process runs, as far as it runs it. */
export type ReadinessSources = Readonly<{
  rulesets?: (() => RulesetStatus) | undefined;
  projections?: (() => readonly ProjectionStatus[]) | undefined;
  checkpointFailures?: (() => readonly string[]) | undefined;
  verification?: (() => VerificationStatus | undefined) | undefined;
  clock?: (() => Readiness) | undefined;
}>;

/** All parts of /ready. `probes`: backing services that this process uses, by name. */
export const readinessOf = (
  sources: () => ReadinessSources,
  probes: () => Readonly<Record<string, () => Promise<unknown>>>,
  log: Pick<Logger, 'warn' | 'info'>,
): (() => Promise<readonly Readiness[]>) => {
  /** By part: why it was last found not to work. */
  const told = new Map<string, string>();
  const tell = ({ name, isReady, reason = '' }: Readiness): void => {
    if (isReady) {
      if (told.delete(name)) log.info({ part: name }, 'a part of /ready works again');
      return;
    }
    if (told.get(name) === reason) return;
    told.set(name, reason);
    log.warn({ part: name, reason }, 'a part of /ready does not work');
  };
  const known = new Map<string, () => Promise<Readiness>>();
  const reach = ([name, ask]: readonly [string, () => Promise<unknown>]): Promise<Readiness> => {
    const probe = known.get(name) ?? reachability(name, ask);
    known.set(name, probe);
    return probe();
  };
  return async () => {
    const { rulesets, projections, checkpointFailures, verification, clock } = sources();
    const parts = [
      ...(await Promise.all(Object.entries(probes()).map(reach))),
      ...(clock === undefined ? [] : [clock()]),
      ...(rulesets === undefined ? [] : [rulesetReadiness(rulesets())]),
      ...(projections?.() ?? []).map(projectionReadiness),
      ...(checkpointFailures === undefined ? [] : [checkpointReadiness(checkpointFailures())]),
      ...(verification === undefined ? [] : [verificationReadiness(verification())]),
    ];
    parts.forEach(tell);
    return parts;
  };
};
