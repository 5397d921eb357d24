import { Buffer } from 'node:buffer';
import { type ServerResponse } from 'node:http';
import { setImmediate as giveWay } from 'node:timers/promises';
import { type ApplicationKey } from '../../domain/api-key.js';
import { type Position } from '../../domain/position.js';
import { configTag } from '../../queries/evaluation/config-tag.js';
import { type EnvironmentRulesets } from '../../queries/evaluation/environment-rulesets.js';
import { type RulesetMemory, type Rulesets } from '../../queries/evaluation/ruleset-memory.js';
import { configEtagText } from './etags.js';

/** How many there are under each name; a name of which there is none is forgotten. */
export const tallies = () => {
  const counts = new Map<string, number>();
  const of = (name: string): number => counts.get(name) ?? 0;
  const remove = (name: string): void => {
    if (of(name) > 1) counts.set(name, of(name) - 1);
    else counts.delete(name);
  };
  return {
    of,
    /** One more under each of them, until what it gives is called. */
    add: (...names: readonly string[]): (() => void) => {
      for (const name of names) counts.set(name, of(name) + 1);
      return () => {
        names.forEach(remove);
      };
    },
  };
};

export type EventStreamDeps = Readonly<{
  memory: RulesetMemory;
  /** The key with this id, while it is valid. */
  find: (keyId: string) => ApplicationKey | undefined;
  /** Tells of every change of the keys. */
  onKeysChanged: (listener: () => void) => () => void;
  heartbeatMs?: number;
  /** Bytes that may wait for a reader before it is dropped. */
  maxBuffered?: number;
}>;

const HEARTBEAT_MS = 30_000;
const MAX_BUFFERED = 16 * 1024;

/** Streams that are written to between two turns of the event loop. */
const AT_ONCE = 200;

/** A change this long ago may have come between a client's last answer and its stream. */
const GAP_MS = 300_000;

const HEARTBEAT = Buffer.from(':\n\n');

/** `address`: whom the client's address stands for. */
export type Listener = Readonly<{ key: ApplicationKey; address: string }>;

type EventStream = Readonly<{ keyId: string; response: ServerResponse }>;

/** One environment, and who listens to it. */
type Channel = {
  readonly streams: Set<EventStream>;
  environment: EnvironmentRulesets | undefined;
  tag: string;
  /** Log position and epoch milliseconds at which the content is known to have changed last. */
  changedAt: Position;
  changedAtMs: number;
  isDelivering: boolean;
  isAgain: boolean;
};

const tagOf = (environment: EnvironmentRulesets | undefined): string =>
  environment === undefined ? '' : configTag(environment);

const frameOf = ({ tag, changedAt: position }: Channel): Buffer => {
  const data = JSON.stringify({
    type: 'refetchEvaluation',
    etag: configEtagText({ tag, position }),
  });
  return Buffer.from(`id: ${position}\nevent: message\ndata: ${data}\n\n`);
};

/** Everybody who waits to hear of changes. Memory and time are per environment; a stream is little but its socket. */
export const eventStreams = ({
  memory,
  find,
  onKeysChanged,
  heartbeatMs = HEARTBEAT_MS,
  maxBuffered = MAX_BUFFERED,
}: EventStreamDeps) => {
  const channels = new Map<string, Channel>();
  const open = tallies();
  let count = 0;

  const write = ({ response }: EventStream, bytes: Buffer): void => {
    // A reader that takes nothing is let go; it can resume where it was.
    if (response.writableLength > maxBuffered) response.destroy();
    else response.write(bytes);
  };

  const writeAll = async ({ streams }: Channel, bytes: Buffer): Promise<void> => {
    let written = 0;
    for (const stream of [...streams]) {
      write(stream, bytes);
      written += 1;
      if (written % AT_ONCE === 0) await giveWay();
    }
  };

  /** Only the newest change is told: it says no more than that there is one. */
  const deliver = async (channel: Channel): Promise<void> => {
    channel.isAgain = true;
    if (channel.isDelivering) return;
    channel.isDelivering = true;
    while (channel.isAgain) {
      channel.isAgain = false;
      await writeAll(channel, frameOf(channel));
    }
    channel.isDelivering = false;
  };

  const look = (channel: Channel, environmentId: string, rulesets: Rulesets): void => {
    const environment = rulesets.environments.get(environmentId);
    if (environment === channel.environment) return;
    channel.environment = environment;
    const tag = tagOf(environment);
    if (tag === channel.tag) return;
    Object.assign(channel, { tag, changedAt: rulesets.position, changedAtMs: Date.now() });
    void deliver(channel);
  };

  const channelOf = (environmentId: string): Channel => {
    const known = channels.get(environmentId);
    if (known !== undefined) return known;
    const rulesets = memory.current();
    const environment = rulesets?.environments.get(environmentId);
    const made: Channel = {
      streams: new Set(),
      environment,
      tag: tagOf(environment),
      changedAt: rulesets?.position ?? -1,
      changedAtMs: Date.now(),
      isDelivering: false,
      isAgain: false,
    };
    channels.set(environmentId, made);
    return made;
  };

  const endUnless = (isGood: (stream: EventStream) => boolean): void => {
    for (const { streams } of channels.values())
      for (const stream of streams) if (!isGood(stream)) stream.response.end();
  };
  const endInvalid = (): void => {
    endUnless(({ keyId }) => find(keyId) !== undefined);
  };

  const unsubscribe = memory.subscribe((rulesets) => {
    for (const [id, channel] of channels) look(channel, id, rulesets);
  });
  const unsubscribeKeys = onKeysChanged(endInvalid);
  const heart = setInterval(() => {
    endInvalid();
    for (const channel of channels.values()) void writeAll(channel, HEARTBEAT);
  }, heartbeatMs);
  heart.unref();

  return {
    count: (): number => count,
    countOf: (keyId: string): number => open.of(`key ${keyId}`),
    countFrom: (address: string): number => open.of(`address ${address}`),

    /**
     * Adds a response whose head is written. `lastEventId`: the last position that the client was told; a client
     * that may have missed a change is told at once.
     */
    add: (
      { key, address }: Listener,
      response: ServerResponse,
      lastEventId: Position | undefined,
    ): void => {
      const channel = channelOf(key.environmentId);
      const stream = { keyId: key.keyId, response };
      channel.streams.add(stream);
      count += 1;
      const close = open.add(`key ${key.keyId}`, `address ${address}`);
      response.once('close', () => {
        channel.streams.delete(stream);
        count -= 1;
        close();
      });
      const isMissing =
        lastEventId === undefined
          ? Date.now() - channel.changedAtMs < GAP_MS
          : lastEventId < channel.changedAt;
      // An id alone is no event, but a client that connects again sends it.
      write(stream, isMissing ? frameOf(channel) : Buffer.from(`id: ${channel.changedAt}\n\n`));
    },

    /** Ends every stream; clients connect again, elsewhere. */
    close: (): void => {
      clearInterval(heart);
      unsubscribe();
      unsubscribeKeys();
      endUnless(() => false);
    },
  };
};

export type EventStreams = ReturnType<typeof eventStreams>;
