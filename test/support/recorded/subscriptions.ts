import { once } from 'node:events';
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import type * as Streams from '@eventstore/db-client/generated/streams_pb.js';
import { positionOf, type Case } from './case.js';
import { kindOf, messageOf, readAllOf, startRead, type Message, type Source } from './wire.js';

/** A subscription that notes in words what arrives. */
export type Noted = Readonly<{
  /** What arrived since the last look, once nothing follows; waits for as many words as are `expected`. */
  log: (expected: number) => Promise<string[]>;
  cancel: () => void;
}>;

/** What the recordings give for a subscription. */
export type Target = Readonly<{
  stream?: string;
  from?: unknown;
  prefixes?: readonly string[];
  filter?: Readonly<Record<'stream' | 'type', Readonly<{ prefixes?: string[]; regex?: string }>>>;
  window?: number;
  interval?: number;
}>;

const filterOf = (scene: Case, { filter, window = 32, interval = 1 }: Target): Source['filter'] => {
  if (!filter) return undefined;
  const of = 'stream' in filter ? 'stream' : 'type';
  const { prefixes = [], regex } = filter[of];
  return {
    of,
    prefixes: prefixes.map((prefix) => (of === 'stream' ? scene.stream(prefix) : prefix)),
    ...(regex !== undefined && { regex }),
    window,
    interval,
  };
};

const sourceOf = async (scene: Case, target: Target): Promise<Source> => {
  const { stream, from = 'start' } = target;
  if (stream !== undefined) return { stream: scene.stream(stream), from: String(from) };
  const filter = filterOf(scene, target);
  return { from: await positionOf(scene, from), ...(filter && { filter }) };
};

const wordOf = async (
  scene: Case,
  target: Target,
  message: Message,
): Promise<string | undefined> => {
  if (message.kind === 'event') {
    const event = (message.link ?? message.event)!;
    return scene.localPlace(`${event.stream}@${event.revision}`);
  }
  if (message.kind !== 'checkpoint') return message.kind;
  if (target.window === undefined) return undefined; // the recordings have them only where they are asked for
  const places = await scene.store.places();
  return `checkpoint ${scene.localPlace(places.get(message.commit)) ?? '?'}`;
};

const PATIENCE_MS = 3_000;

/** All that the server had sent before it answers this read arrives before the answer. */
const fence = async (scene: Case): Promise<void> => {
  for (let round = 0; round < 3; round++)
    await readAllOf(scene.store.raw(), { from: 'start', count: '1' });
};

const arrivals = (call: ClientReadableStream<Streams.ReadResp>) => {
  const messages: (Message | string)[] = [];
  let isCancelled = false;
  call.on('data', (response: Streams.ReadResp) => messages.push(messageOf(response)));
  call.on('error', (error: ServiceError) => {
    messages.push(isCancelled ? 'end' : `error ${kindOf(error)}`);
    call.emit('noted');
  });
  call.on('data', () => call.emit('noted'));
  return {
    messages,
    cancel: () => {
      isCancelled = true;
      call.cancel();
    },
  };
};

export const subscribe = async (scene: Case, target: Target): Promise<Noted> => {
  const call = startRead(scene.store.raw(), await sourceOf(scene, target));
  const { messages, cancel } = arrivals(call);

  /** Waits for `count` messages of this case, as long as it takes the slowest machine. */
  const words = async (count: number): Promise<string[]> => {
    const found: string[] = [];
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const take = async () => {
      for (const message of messages.splice(0)) {
        const word = typeof message === 'string' ? message : await wordOf(scene, target, message);
        if (word !== undefined) found.push(word);
      }
    };
    const isOver = () => found.length >= count || found.at(-1)?.startsWith('error') === true;
    await take();
    while (!isOver() && !signal.aborted) {
      if (messages.length === 0) await once(call, 'noted', { signal }).catch(() => undefined);
      await take();
    }
    await fence(scene);
    await take();
    return found;
  };
  return { log: words, cancel };
};
