import type { EventLog } from '../log/log.js';
import type { Entry } from '../storage/reader.js';
import { decodeFrame, encodeResolvedLink } from '../wire/frame.js';
import { isReadable, oldestRevision } from '../log/readable.js';

/** The type of an event whose data, `revision@stream`, points to another one. */
const LINK_TYPE = '$>';
/** A number as .NET reads it, then a stream. */
const LINK = /^\s*([+-]?\d+)\s*@(.*)$/s;
const MAX_LONG = 2n ** 63n - 1n;

/** Where a link points to; undefined when its data is not a link's. */
const parseLink = (data: string): { revision: bigint; stream: string } | undefined => {
  const [, number = '', stream = ''] = LINK.exec(data) ?? [];
  if (number === '') return undefined;
  const revision = BigInt(number.replace('+', ''));
  return revision > MAX_LONG || revision < -MAX_LONG - 1n ? undefined : { revision, stream };
};

const LAST = -1n;

/** The message to send for an entry: its stored frame, or the link with its target where links are resolved. */
export const messageOf = (log: EventLog, entry: Entry, resolvesLinks: boolean): Buffer => {
  const frame = log.reader.frameOf(entry);
  if (!resolvesLinks || entry.type !== LINK_TYPE) return frame;
  const link = parseLink(decodeFrame(frame).data.toString());
  if (!link) return frame;
  return encodeResolvedLink(frame, entry.position, targetOf(log, link.stream, link.revision));
};

const targetOf = (log: EventLog, stream: string, pointer: bigint): Buffer | undefined => {
  const state = log.states.get(stream);
  const revision = pointer === LAST ? state.last : Number(pointer);
  if (!isReadable(log.states, state) || revision < oldestRevision(log.reader, state))
    return undefined;
  return log.reader.placeAt(state.key, revision)?.frame;
};
