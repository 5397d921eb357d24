import { setImmediate as nextTurn } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { type EventLog } from '../log/log.js';
import { isReadable } from '../log/readable.js';
import { isTombstoned } from '../log/stream-states.js';
import { type Entry } from '../storage/reader.js';
import { CallError, streamDeleted } from '../wire/errors.js';
import { encodeStreamNotFound } from '../wire/replies.js';
import { messageOf, type OpenCalls, type Outlet, outletOf, type ReadCall } from './outlet.js';
import { readPlan, type ReadPlan } from './plan.js';
import { subscribeToAll } from './subscribe-all.js';
import { subscribeToStream } from './subscribe-stream.js';
import { readWalk } from './walk.js';

type Reading = Readonly<{ log: EventLog; plan: ReadPlan; outlet: Outlet }>;

/** Sends what the filter lets through, at most `left`; returns how many may still be sent. */
const sendPage = async (
  { log, plan, outlet }: Reading,
  page: readonly Entry[],
  left: number,
): Promise<number> => {
  let rest = left;
  for (const entry of page) {
    if (rest === 0 || !outlet.isOpen()) return rest;
    if (plan.filter?.matches(entry) === false) continue;
    await outlet.write(messageOf(log, entry, plan.resolvesLinks));
    rest--;
  }
  return rest;
};

const sendEvents = async (reading: Reading): Promise<void> => {
  const walk = readWalk(reading.log, reading.plan);
  let left = reading.plan.count;
  while (left > 0 && reading.outlet.isOpen()) {
    const page = walk(left);
    if (page.length === 0) return;
    left = await sendPage(reading, page, left);
    await nextTurn();
  }
};

/** @throws CallError when the stream is tombstoned */
const readOnce = async (reading: Reading): Promise<void> => {
  const { log, plan, outlet } = reading;
  const state = plan.stream === undefined ? undefined : log.states.get(plan.stream);
  if (state && isTombstoned(log.states, state)) throw streamDeleted(state.name);
  if (state && !isReadable(log.states, state)) await outlet.write(encodeStreamNotFound(state.name));
  else await sendEvents(reading);
};

/** What a real server's reset of its subscriptions is to a client. */
const stopped = (): CallError => new CallError(status.INTERNAL, 'The event store is stopping.');

const subscribe = (log: EventLog, plan: ReadPlan, outlet: Outlet): Promise<void> => {
  const { stream } = plan;
  return stream === undefined
    ? subscribeToAll(log, plan, outlet)
    : subscribeToStream(log, { ...plan, stream }, outlet);
};

const answer = async (
  { log, openCalls }: { log: EventLog; openCalls: OpenCalls },
  call: ReadCall,
  outlet: Outlet,
): Promise<void> => {
  const plan = readPlan(call.request);
  await log.settled();
  if (!plan.isSubscription) return readOnce({ log, plan, outlet });
  const forget = openCalls.add(() => {
    outlet.end(stopped());
  });
  return subscribe(log, plan, outlet).finally(forget);
};

/** `Streams/Read`: reads and subscriptions, of a stream or of `$all`. */
export const readHandler =
  (log: EventLog, openCalls: OpenCalls) =>
  (call: ReadCall): void => {
    const outlet = outletOf(call);
    answer({ log, openCalls }, call, outlet).then(() => {
      outlet.end();
    }, outlet.end);
  };
