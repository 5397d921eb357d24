import { type Command, type Decider } from '../domain/decider.js';
import {
  evolveOperations,
  noOperations,
  NOTHING_KNOWN,
  type Operations,
  type OperationsEvent,
  type ShownConfiguration,
  skippedName,
  STARTS_AN_HOUR,
} from '../domain/operations.js';

type Data<Type extends OperationsEvent['type']> = Extract<OperationsEvent, { type: Type }>['data'];

/** `name`: of the stream, a process or what processes share. */
type Place = Readonly<{ organizationId: string; name: string }>;

type RecordStart = Command<
  'RecordStart',
  Place &
    Pick<Data<'ServiceStarted'>, 'run' | 'startedAt' | 'version' | 'role' | 'configuration'> &
    Readonly<{ hourBefore: string }>
>;
type RecordStop = Command<
  'RecordStop',
  Place & Readonly<{ run: string; signal?: string; error?: string }>
>;
type RecordRebuild = Command<'RecordRebuild', Place & Omit<Data<'ReadModelRebuilt'>, 'severity'>>;
type RecordAuditKey = Command<'RecordAuditKey', Place & Readonly<{ keyId: string }>>;
type RecordSigningKey = Command<
  'RecordSigningKey',
  Place &
    Pick<Data<'KeyChanged'>, 'keyId' | 'previousKeyId'> &
    Readonly<{ cause: 'rotated' | 'removed' }>
>;

type RecordClockJump = Command<'RecordClockJump', Place & Omit<Data<'ClockJumped'>, 'severity'>>;
type SkipEvent = Command<'SkipEvent', Place & Omit<Data<'EventSkipped'>, 'severity'>>;

export type OperationsCommand =
  | RecordStart
  | RecordStop
  | RecordRebuild
  | RecordAuditKey
  | RecordSigningKey
  | RecordClockJump
  | SkipEvent;

/** Variables that differ; none when there is nothing to compare with. */
const changedIn = (
  configuration: ShownConfiguration,
  was: ShownConfiguration | null,
): readonly string[] => {
  if (was === null) return [];
  const names = new Set([...Object.keys(was), ...Object.keys(configuration)]);
  return [...names].filter((name) => was[name] !== configuration[name]);
};

const startOf = (
  { run, startedAt, version, role, configuration, hourBefore }: RecordStart['data'],
  before: Operations,
): readonly OperationsEvent[] => {
  const known = before.status === 'known' ? before : NOTHING_KNOWN;
  // A process that crashes again and again would fill the log.
  const recent = known.starts.filter((time) => time > hourBefore);
  if (recent.length >= STARTS_AN_HOUR) return [];
  const changed = changedIn(configuration, known.configuration);
  const endedBefore = known.run === null;
  const severity = endedBefore ? ('info' as const) : ('warning' as const);
  const data = { run, startedAt, version, role, configuration, changed, endedBefore, severity };
  return [{ type: 'ServiceStarted', data }];
};

const stopOf = (
  { run, signal, error }: RecordStop['data'],
  before: Operations,
): readonly OperationsEvent[] => {
  if (before.status === 'absent' || before.run !== run) return [];
  const severity = error === undefined ? 'info' : 'critical';
  return [{ type: 'ServiceStopped', data: { run, cause: error ?? signal ?? 'unknown', severity } }];
};

const auditKeyOf = (keyId: string, before: Operations): readonly OperationsEvent[] => {
  const previousKeyId = before.status === 'known' ? before.auditKeyId : null;
  if (previousKeyId === keyId) return [];
  const data =
    previousKeyId === null
      ? ({ cause: 'first-seen', severity: 'info' } as const)
      : ({ cause: 'rotated', severity: 'warning' } as const);
  return [{ type: 'KeyChanged', data: { key: 'audit', keyId, previousKeyId, ...data } }];
};

const rebuildOf = ({
  events,
  position,
  isEqual,
  isInUse,
}: RecordRebuild['data']): readonly OperationsEvent[] => {
  const severity = isEqual === false || !isInUse ? 'critical' : 'info';
  return [{ type: 'ReadModelRebuilt', data: { events, position, isEqual, isInUse, severity } }];
};

const signingKeyOf = ({
  keyId,
  previousKeyId,
  cause,
}: RecordSigningKey['data']): readonly OperationsEvent[] => {
  const severity = cause === 'removed' ? 'warning' : 'info';
  const data = { key: 'access-tokens', cause, keyId, previousKeyId, severity } as const;
  return [{ type: 'KeyChanged', data }];
};

/** Once for each jump, whichever processes notice it. */
const clockJumpOf = (
  { recordedAt, clock }: RecordClockJump['data'],
  before: Operations,
): readonly OperationsEvent[] => {
  const isKnown = before.status === 'known' && (before.jumpedTo ?? '') >= recordedAt;
  return isKnown ? [] : [{ type: 'ClockJumped', data: { recordedAt, clock, severity: 'warning' } }];
};

const skipOf = (
  { organizationId: _, name: __, ...skipped }: SkipEvent['data'],
  before: Operations,
): readonly OperationsEvent[] => {
  const isSkipped = before.status === 'known' && before.skipped.includes(skippedName(skipped));
  if (isSkipped) return [];
  return [{ type: 'EventSkipped', data: { ...skipped, severity: 'critical' } }];
};

/** What happens to the service itself, which nobody can refuse. */
export const operationsDecider: Decider<Operations, OperationsCommand, OperationsEvent> = {
  initialState: noOperations,
  evolve: evolveOperations,
  decide: (command, before) => {
    switch (command.type) {
      case 'RecordStart':
        return startOf(command.data, before);
      case 'RecordStop':
        return stopOf(command.data, before);
      case 'RecordRebuild':
        return rebuildOf(command.data);
      case 'RecordAuditKey':
        return auditKeyOf(command.data.keyId, before);
      case 'RecordSigningKey':
        return signingKeyOf(command.data);
      case 'RecordClockJump':
        return clockJumpOf(command.data, before);
      case 'SkipEvent':
        return skipOf(command.data, before);
    }
  },
};
