import { type ChildProcess, execFileSync, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';

export type ProcessSpec = Readonly<{
  name: string;
  command: string;
  args: readonly string[];
  options?: SpawnOptions;
  /** Text on stdout or stderr that says that it serves. */
  ready: RegExp;
  /** How long a start may take. */
  readyMs?: number;
}>;

/** Also where five processes share two cores with others. */
const READY_MS = 60_000;
const OUTPUT_KEPT = 200_000;

/** The process and all that it has started, children first. */
const treeOf = (root: number): readonly number[] => {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent: number): readonly number[] => [
    ...rows.filter(([, ppid]) => ppid === parent).flatMap(([pid = 0]) => below(pid)),
    parent,
  ];
  return below(root);
};

const signalTo = (pids: readonly number[], signal: NodeJS.Signals): void => {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended.
    }
  }
};

/** The process ended before it was ready. */
export class StartFailed extends Error {
  override readonly name = 'StartFailed';
}

const isRunning = (child: ChildProcess | undefined): child is ChildProcess =>
  child !== undefined && child.exitCode === null && child.signalCode === null;

/** A program that can be started, ended, killed, paused and started again, with its children. */
export const controlledProcess = (spec: ProcessSpec) => {
  const { name, command, args, options = {}, ready, readyMs = READY_MS } = spec;
  let child: ChildProcess | undefined;
  let output = '';

  const listen = (started: ChildProcess, onText: () => void): void => {
    for (const stream of [started.stdout, started.stderr])
      stream?.on('data', (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-OUTPUT_KEPT);
        onText();
      });
  };

  /** `more`: variables for this start. */
  const start = async (more: NodeJS.ProcessEnv = {}): Promise<void> => {
    output = '';
    const env = { ...(options.env ?? process.env), ...more };
    const started = spawn(command, args, { ...options, env, stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    await new Promise<void>((resolve, reject) => {
      const fail = (what: string): void => {
        reject(new StartFailed(`${name} ${what}: ${output}`));
      };
      const late = setTimeout(() => {
        fail('is not ready in time');
      }, readyMs);
      listen(started, () => {
        if (!ready.test(output)) return;
        clearTimeout(late);
        resolve();
      });
      started.once('error', (error) => {
        fail(error.message);
      });
      started.once('close', (code) => {
        clearTimeout(late);
        fail(`ended with ${code ?? 'a signal'}`);
      });
    });
  };

  const send = (signal: NodeJS.Signals): void => {
    if (isRunning(child) && child.pid !== undefined) signalTo(treeOf(child.pid), signal);
  };

  /** Resolves with the exit code; null after a signal. */
  const ended = async (): Promise<number | null> => {
    if (isRunning(child)) await once(child, 'exit');
    return child?.exitCode ?? null;
  };

  const kill = async (): Promise<void> => {
    send('SIGKILL');
    await ended();
  };

  return {
    start,
    kill,
    ended,
    /** SIGTERM unless another signal is named, to the process alone. */
    stop: async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
      if (isRunning(child)) child.kill(signal);
      return ended();
    },
    /** SIGSTOP to the process and its children: connections stay, nothing answers. */
    pause: (): void => {
      send('SIGSTOP');
    },
    resume: (): void => {
      send('SIGCONT');
    },
    isRunning: (): boolean => isRunning(child),
    output: (): string => output,
    pid: (): number | undefined => child?.pid,
  };
};

export type ControlledProcess = ReturnType<typeof controlledProcess>;
