import { readFileSync } from 'node:fs';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type Readiness } from '../api/health.js';
import { type Position } from '../domain/position.js';
import { type RulesetStatus } from '../infrastructure/rulesets/supply.js';
import { type BatchObserver, type ProjectionStatus } from '../projections/projection-status.js';

type MetricSources = Readonly<{
  /** The parts of /ready. */
  readiness: () => Promise<readonly Readiness[]>;
  projections: () => readonly ProjectionStatus[];
  rulesets: () => RulesetStatus | undefined;
  /** How many clients wait to hear of changes. */
  eventStreams: () => number;
  recordedAheadMs: () => number;
  /** Signed and not brought outside yet, by place. */
  waitingCheckpoints: () => Promise<Readonly<Record<string, number>>>;
  /** Position of the last event in the log. */
  head: () => Promise<Position>;
}>;

/** What Prometheus is told. Names end in their unit. */
export const serviceMetrics = (sources: MetricSources) => {
  const { readiness, projections, rulesets, eventStreams, waitingCheckpoints, head } = sources;
  const { recordedAheadMs } = sources;
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'chronoflag_' });

  const requests = new Histogram({
    name: 'chronoflag_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  });
  /** One for each route, method and status: looking labels up costs more than counting. */
  const seriesOf = new Map<string, ReturnType<typeof requests.labels>>();
  const applied = new Counter({
    name: 'chronoflag_projection_events_total',
    help: 'Events applied since the process started.',
    labelNames: ['projection'],
    registers,
  });
  const foreign = new Counter({
    name: 'chronoflag_foreign_events_total',
    help: 'Events ignored since the process started: their streams begin like ours, and they are not ours.',
    labelNames: ['kind'],
    registers,
  });
  const batches = new Histogram({
    name: 'chronoflag_projection_batch_duration_seconds',
    help: 'Time to apply one batch of events.',
    labelNames: ['projection'],
    registers,
  });
  const visible = new Histogram({
    name: 'chronoflag_projection_lag_seconds',
    help: 'From the recording of an event to its being visible.',
    labelNames: ['projection'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30],
    registers,
  });
  new Gauge({
    name: 'chronoflag_part_ready',
    help: '1 for a part of /ready that works; 0, and the reason, for one that does not.',
    labelNames: ['part', 'reason'],
    registers,
    async collect() {
      this.reset();
      for (const { name: part, isReady, reason = '' } of await readiness())
        this.set({ part, reason }, isReady ? 1 : 0);
    },
  });
  new Gauge({
    name: 'chronoflag_projection_position',
    help: 'Log position that a projection stands at.',
    labelNames: ['projection'],
    registers,
    collect() {
      for (const { projection, position } of projections())
        this.set({ projection }, Number(position));
    },
  });
  new Gauge({
    name: 'chronoflag_log_position',
    help: 'Position of the last event in the log; absent while the event store is away.',
    registers,
    async collect() {
      this.reset();
      const position = await head().catch(() => undefined);
      if (position !== undefined) this.set(Number(position));
    },
  });
  new Gauge({
    name: 'chronoflag_projection_state',
    help: '1 for the state that a projection is in: standby, catching-up, live, retrying, poisoned.',
    labelNames: ['projection', 'state'],
    registers,
    collect() {
      this.reset();
      for (const { projection, state } of projections()) this.set({ projection, state }, 1);
    },
  });
  new Gauge({
    name: 'chronoflag_projection_parked_streams',
    help: 'Streams that stand still in front of an event that cannot be applied.',
    labelNames: ['projection'],
    registers,
    collect() {
      for (const { projection, parked } of projections()) this.set({ projection }, parked.length);
    },
  });
  new Gauge({
    name: 'chronoflag_rulesets_position',
    help: 'Log position of the rulesets that this process evaluates with.',
    registers,
    collect() {
      this.set(Number(rulesets()?.position ?? -1));
    },
  });
  new Gauge({
    name: 'chronoflag_rulesets_age_seconds',
    help: 'Since the rulesets were last known to be current.',
    registers,
    collect() {
      this.set((rulesets()?.ageMs ?? 0) / 1000);
    },
  });

  new Gauge({
    name: 'chronoflag_recorded_time_ahead_seconds',
    help: 'How far the latest time in the log is ahead of the clock of this process; 0 when it is not.',
    registers,
    collect() {
      this.set(recordedAheadMs() / 1000);
    },
  });
  new Gauge({
    name: 'chronoflag_event_streams',
    help: 'Clients that wait to hear of changes.',
    registers,
    collect() {
      this.set(eventStreams());
    },
  });

  new Gauge({
    name: 'chronoflag_audit_checkpoints_waiting',
    help: 'Signed audit checkpoints that have not been brought outside yet, by place.',
    labelNames: ['place'],
    registers,
    async collect() {
      this.reset();
      const waiting = await waitingCheckpoints().catch(() => ({}));
      for (const [place, count] of Object.entries(waiting)) this.set({ place }, count);
    },
  });

  const observeBatch: BatchObserver = ({ projection, events, durationMs, lagMs }) => {
    applied.inc({ projection }, events);
    batches.observe({ projection }, durationMs / 1000);
    visible.observe({ projection }, lagMs / 1000);
  };

  return {
    text: async (): Promise<string> => registry.metrics(),
    observeBatch,
    countForeign: (kind: string): void => {
      foreign.inc({ kind });
    },
    observeRequest: (
      labels: Readonly<{ method: string; route: string; status: number }>,
      seconds: number,
    ): void => {
      const key = `${labels.method} ${labels.status} ${labels.route}`;
      let series = seriesOf.get(key);
      if (series === undefined) {
        series = requests.labels(labels);
        seriesOf.set(key, series);
      }
      series.observe(seconds);
    },
  };
};

export type ServiceMetrics = ReturnType<typeof serviceMetrics>;

/** The version of this program, from its package. */
export const VERSION = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  }
).version;
