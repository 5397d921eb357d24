/** A process for the guardian to start. Everything is plain data: it travels as a message. */
export type ProcessSpec = Readonly<{
  /** For messages to people, e.g. `Postgres`. Unique within a stack. */
  name: string;
  command: string;
  args: readonly string[];
  /** Added to the guardian's own environment. */
  env?: Readonly<Record<string, string>>;
  /** User and group to run as; ours when absent. */
  uid?: number;
  gid?: number;
  /** Stands in the title or the arguments of this process and of no other on the machine. */
  mark: string;
  /** Sent one after the other, `graceMs` apart, until the process is gone; then SIGKILL. */
  stopSignals: readonly NodeJS.Signals[];
  graceMs: number;
}>;

/** A process that stays. It has started when a line of its output matches `ready` (a regular expression). */
export type ServiceSpec = ProcessSpec & Readonly<{ ready: string }>;

export type ToGuardian =
  | Readonly<{ type: 'start'; spec: ServiceSpec }>
  | Readonly<{ type: 'run'; spec: ProcessSpec }>
  | Readonly<{ type: 'stop' }>;

/** `output`: the last lines the process wrote. */
export type FromGuardian =
  | Readonly<{ type: 'locked' }>
  | Readonly<{ type: 'in-use'; pid: number }>
  | Readonly<{ type: 'broken'; reason: string }>
  | Readonly<{ type: 'done'; name: string }>
  | Readonly<{ type: 'failed'; name: string; output: readonly string[] }>
  | Readonly<{ type: 'crashed'; name: string; reason: string; restartInMs: number }>
  | Readonly<{ type: 'recovered'; name: string }>;
