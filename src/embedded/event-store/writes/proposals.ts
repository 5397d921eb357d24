import type { Written } from '../wire/replies.js';
import { type Refusal } from '../wire/errors.js';
import type { ProposedEvent } from '../wire/frame.js';
import type { Expected, Proposal, WriteOptions } from '../wire/requests.js';
import type { EventLog } from '../log/log.js';

/** The events of one append, collected and checked as their messages arrive. */
export type Collected = Readonly<{
  events: readonly ProposedEvent[];
  bytes: number;
}>;

export const NOTHING_COLLECTED: Collected = { events: [], bytes: 0 };

/** A write must be accepted within this time, whatever the client allows: the default of a real server. */
const WRITE_TIMEOUT_MS = 2000;
/** One event, whatever an append may have: what readers take at once is sized by it. */
const MAX_EVENT_BYTES = 1024 * 1024;
const ZERO_ID = '00000000-0000-0000-0000-000000000000';
const JSON_TYPE = 'application/json';
const MAX_STREAM_NAME_BYTES = 64 * 1024;
const MAX_REVISION = 2n ** 63n - 1n;

const badRequest = (message: string): Refusal => ({ kind: 'bad-request', message });

const flawOf = ({ id, type, contentType }: Proposal): Refusal | undefined => {
  if (type === undefined || contentType === undefined) return { kind: 'missing-metadata' };
  if (id === undefined || id === ZERO_ID) return badRequest('An event id is not a usable UUID.');
  return type === '' ? badRequest('An event type is empty.') : undefined;
};

/** What a real server counts against MaxAppendSize: the bodies and the type in UTF-16. */
const sizeOf = ({ data, metadata, type }: Proposal): number =>
  data.length + metadata.length + 2 * (type ?? '').length;

/** Adds proposals to those collected so far; a refusal when one is invalid or all are too large together. */
export const collect = (
  { events, bytes }: Collected,
  proposals: readonly Proposal[],
  maxAppendBytes: number,
): Collected | Refusal => {
  const added: ProposedEvent[] = [];
  let total = bytes;
  for (const proposal of proposals) {
    const flaw = flawOf(proposal);
    if (flaw) return flaw;
    const { id = '', type = '', contentType, data, metadata } = proposal;
    added.push({ id, type, isJson: contentType === JSON_TYPE, data, metadata });
    const size = sizeOf(proposal);
    if (size > MAX_EVENT_BYTES) return { kind: 'too-large', limit: MAX_EVENT_BYTES };
    total += size;
  }
  if (total > maxAppendBytes) return { kind: 'too-large', limit: maxAppendBytes };
  return { events: events.length === 0 ? added : [...events, ...added], bytes: total };
};

/** The instant (ms since the epoch) until which a write that arrives now may be accepted. */
export const acceptUntil = (deadlineMs: number): number =>
  Math.min(deadlineMs, Date.now() + WRITE_TIMEOUT_MS);

const isUsableName = (stream: string): boolean =>
  stream !== '' && stream !== '$$' && Buffer.byteLength(stream) <= MAX_STREAM_NAME_BYTES;

type Checked = WriteOptions & Readonly<{ expected: Expected }>;

/** Whether a write with these options can be taken at all; why not, otherwise. */
export const checkOptions = (options: WriteOptions): Checked | Refusal => {
  const { stream, expected } = options;
  if (!isUsableName(stream))
    return badRequest(`The stream name is empty, '$$' or longer than 64 KiB.`);
  if (expected === undefined) return badRequest('The expected revision is missing.');
  if (typeof expected === 'bigint' && expected > MAX_REVISION)
    return badRequest('The expected revision is above 2^63 - 1.');
  return { ...options, expected };
};

/** Appends what was collected, unless the stream name is unusable or the time is up. */
export const appendCollected = async (
  log: EventLog,
  options: WriteOptions,
  { events }: Collected,
  untilMs: number,
): Promise<Written | Refusal> => {
  const checked = checkOptions(options);
  if ('kind' in checked) return checked;
  if (Date.now() >= untilMs) return { kind: 'timeout' };
  return log.append(checked.stream, checked.expected, events);
};
