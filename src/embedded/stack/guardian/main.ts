/**
 * The guardian: a process of its own that holds the data directory's lock and is the parent of the local services.
 * It ends them, and then itself, when the service that started it goes away in whatever manner (the channel between
 * the two closes), so that not even `kill -9` leaves a process behind. It runs in a session of its own: Ctrl-C in a
 * terminal reaches the service alone, which drains its requests while Postgres and the others still answer.
 *
 * Arguments: data directory, process id of the service. Messages: client.ts.
 */
import { reasonOf } from '../data-directory.js';
import { type FromGuardian, type ProcessSpec, type ToGuardian } from './client.js';
import { lockDataDirectory, recordProcesses, stopLeftovers, writeOwner } from './lock.js';
import { keepRunning, type Running, type Service, startProcess } from './service.js';

const [dataDirectory = '', ownerPid = ''] = process.argv.slice(2);
const services = new Map<ProcessSpec, Service>();
const tasks = new Map<ProcessSpec, Running>();
let isStopping = false;

const tell = (message: FromGuardian): void => {
  if (process.connected) process.send?.(message);
};

const leave = (): void => {
  if (process.connected) process.disconnect();
};

const record = (): void => {
  const specs = [
    ...[...services].map(([spec, service]) => ({ spec, running: service.running() })),
    ...[...tasks].map(([spec, running]) => ({ spec, running })),
  ];
  const processes = specs.flatMap(({ spec: { mark, stopSignals }, running }) =>
    running?.pid === undefined
      ? []
      : [{ pid: running.pid, mark, stopSignal: stopSignals[0] ?? 'SIGTERM' }],
  );
  recordProcesses(dataDirectory, processes);
};

const run = async (spec: ProcessSpec): Promise<void> => {
  const { name } = spec;
  const task = startProcess(spec, () => undefined);
  tasks.set(spec, task);
  record();
  const { isSuccess } = await task.ended;
  tasks.delete(spec);
  tell(isSuccess ? { type: 'done', name } : { type: 'failed', name, output: task.output });
};

const start = (spec: Extract<ToGuardian, { type: 'start' }>['spec']): void => {
  const { name } = spec;
  const service = keepRunning(spec, {
    launched: () => {
      queueMicrotask(record); // after the service is in the map
    },
    ready: () => {
      tell({ type: 'done', name });
    },
    failed: (output) => {
      services.delete(spec);
      tell({ type: 'failed', name, output });
    },
    crashed: (reason, restartInMs) => {
      tell({ type: 'crashed', name, reason, restartInMs });
    },
    recovered: () => {
      tell({ type: 'recovered', name });
    },
  });
  services.set(spec, service);
};

const stop = async (): Promise<void> => {
  if (isStopping) return;
  isStopping = true;
  writeOwner(dataDirectory, { pid: Number(ownerPid), isStopping });
  await Promise.all([...services.values(), ...tasks.values()].map((one) => one.stop()));
  recordProcesses(dataDirectory, []);
  process.exit(0);
};

const obey = (message: ToGuardian): void => {
  if (isStopping) return;
  if (message.type === 'start') start(message.spec);
  else if (message.type === 'run') void run(message.spec);
  else void stop();
};

const begin = async (): Promise<void> => {
  const lock = await lockDataDirectory(dataDirectory);
  if (lock !== 'locked') {
    tell({ type: 'in-use', pid: lock });
    leave();
    return;
  }
  writeOwner(dataDirectory, { pid: Number(ownerPid), isStopping: false });
  await stopLeftovers(dataDirectory);
  const onEnd = (): void => void stop();
  process.on('message', obey).on('disconnect', onEnd);
  process.on('uncaughtException', onEnd); // a defect here: leave nothing behind
  process.on('SIGTERM', onEnd).on('SIGINT', onEnd).on('SIGHUP', onEnd);
  if (process.connected) tell({ type: 'locked' });
  else await stop();
};

begin().catch((error: unknown) => {
  tell({ type: 'broken', reason: reasonOf(error) });
  process.exitCode = 1;
  leave();
});
