import {
  BACKWARDS,
  CancelledError,
  END,
  EventStoreDBClient,
  NotLeaderError,
  UnavailableError,
} from '@eventstore/db-client';
import { status } from '@grpc/grpc-js';
import { type KurrentHost, type KurrentSettings } from './connection-string.js';
import { type TlsFiles } from './tls-files.js';

const DEFAULTS = {
  /** Seconds for one host to tell which node leads. Hosts that do not greet are not asked at all. */
  gossipTimeout: 3,
  maxDiscoverAttempts: 3,
  discoveryInterval: 100,
  keepAliveInterval: 10_000,
  /** How long a ping may be unanswered; the client's own 10 s make that 20 s of silence. */
  keepAliveTimeout: 2_000,
};

/** Fewer than a second of them: two clients that are there at once never have the same. */
const DISTINCT = 500;

type ClientPlace = Readonly<{
  hosts: readonly KurrentHost[];
  tls: TlsFiles | undefined;
  nth: number;
}>;

const commonOf = (settings: KurrentSettings, nth: number) => {
  const { connectionName, defaultDeadline } = settings;
  const { keepAliveInterval, keepAliveTimeout } = { ...DEFAULTS, ...settings };
  return {
    keepAliveInterval,
    keepAliveTimeout: keepAliveTimeout < 0 ? keepAliveTimeout : keepAliveTimeout + (nth % DISTINCT),
    ...(connectionName !== undefined && { connectionName }),
    ...(defaultDeadline !== undefined && { defaultDeadline }),
  };
};

const credentialsOf = (tls: TlsFiles | undefined) =>
  tls === undefined
    ? { insecure: true }
    : {
        rootCertificate: tls.ca,
        ...(tls.cert && { userCertFile: tls.cert }),
        ...(tls.key && { userKeyFile: tls.key }),
      };

/**
 * One client, with what its own class cannot do: to let go of its connection. `nth` tells clients apart whose
 * connections would otherwise be one: gRPC shares connections of equal options, also one that is stuck.
 */
export class KurrentClient extends EventStoreDBClient {
  constructor(settings: KurrentSettings, { hosts, tls, nth }: ClientPlace) {
    const { discovers, login, nodePreference } = settings;
    const { gossipTimeout, maxDiscoverAttempts, discoveryInterval } = { ...DEFAULTS, ...settings };
    const common = commonOf(settings, nth);
    const credentials = credentialsOf(tls);
    if (discovers) {
      const asked = { gossipTimeout, maxDiscoverAttempts, discoveryInterval };
      super({ ...common, ...asked, nodePreference, endpoints: [...hosts] }, credentials, login);
    } else {
      super({ ...common, endpoint: hosts[0] ?? '' }, credentials, login);
    }
  }

  /** Ends every call, then the connection. Settles when its appends have failed. */
  async close(): Promise<void> {
    await this.dispose();
    // Not awaited: the client may still be looking for a leader.
    this.getChannel().then(
      (channel) => {
        channel.close();
      },
      () => undefined,
    );
  }
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | undefined)?.code;

const LOST: readonly unknown[] = [status.UNAVAILABLE, status.CANCELLED];

/** The plain errors that the client throws when it finds no node to connect to. */
const isUndiscovered = (error: unknown): boolean =>
  error instanceof Error && /Failed to discover|Failed to resolve/i.test(error.message);

/**
 * Whether an error says that the connection is of no use, and nothing about what was asked. After it the client would
 * make another connection by itself, and when the old one ends it fails the appends of the new one.
 */
export const isConnectionLost = (error: unknown): boolean =>
  error instanceof UnavailableError ||
  error instanceof CancelledError ||
  error instanceof NotLeaderError ||
  LOST.includes(codeOf(error)) ||
  isUndiscovered(error);

/** What a node says that has no leader, or too much to do, before it looks at an append. */
const NOT_READY = /server is not ready|server is busy|no leader info/i;

/** Whether an append was refused before anything was done with it, by a node that may take it soon, or does not lead. */
export const isNotReady = (error: unknown): boolean =>
  NOT_READY.test(error instanceof Error ? error.message : String(error));

/** Asks for the last event of the log: the shortest question there is. Resolves with any answer, also a refusal. */
export const askForAnswer = async (client: EventStoreDBClient): Promise<void> => {
  const reading = client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 });
  // For errors that come after the answer was given up.
  reading.on('error', () => undefined);
  try {
    // To its end: the client keeps what was left in the middle.
    await reading.forEach(() => undefined);
  } catch (error) {
    if (isConnectionLost(error)) throw error;
  }
};
