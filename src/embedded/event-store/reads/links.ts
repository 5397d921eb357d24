import type { EventLog } from '../log/log.js';
import type { Entry } from '../storage/reader.js';
import { decodeFrame, encodeResolvedLink } from '../wire/frame.js';
import { isReadable, oldestRevision } from './readable.js';

/** The type of an event whose data, `revision@stream`, points to another one. */
const LINK_TYPE = '$>';
const LINK = /^(\d+)@(.+)$/s;

/** The message to send for an entry: its stored frame, or the link with its target where links are resolved. */
export const messageOf = (log: EventLog, entry: Entry, resolvesLinks: boolean): Buffer => {
  const frame = log.reader.frameOf(entry);
  if (!resolvesLinks || entry.type !== LINK_TYPE) return frame;
  const [, revision, stream] = LINK.exec(decodeFrame(frame).data.toString()) ?? [];
  if (revision === undefined || stream === undefined) return frame;
  return encodeResolvedLink(frame, entry.position, targetOf(log, stream, Number(revision)));
};

const targetOf = (log: EventLog, stream: string, revision: number): Buffer | undefined => {
  const state = log.states.get(stream);
  if (!isReadable(log, state) || revision < oldestRevision(log, state)) return undefined;
  return log.reader.placeAt(state.key, revision)?.frame;
};
