import { type ForeignKind } from './decode.js';

/** Called for everything in the log whose stream is named like ours and that is not ours. */
export type ForeignObserver = (
  found: Readonly<{ kind: ForeignKind; stream: string; type: string; position: bigint }>,
) => void;

/** How many streams are named in the log of the process; the rest is only counted. */
const NAMED = 1_000;

const TEXT: Readonly<Record<ForeignKind, string>> = {
  deletion: 'a stream that is named like ours was deleted for good; the deletion is ignored',
  system: 'a system event in a stream that is named like ours is ignored',
  stream: 'events in a stream that begins like ours, and is not, are ignored',
  event: 'events of another application in a stream that is named like ours are ignored',
};

/** Says each kind and stream once, and counts each event once, however many subscriptions meet it. */
export const foreignEvents = (
  log: Readonly<{ warn: (details: object, message: string) => void }>,
  count: (kind: ForeignKind) => void,
): ForeignObserver => {
  const named = new Set<string>();
  let last = -1n;
  return ({ kind, stream, type, position }) => {
    if (position > last) {
      last = position;
      count(kind);
    }
    const key = `${kind} ${stream}`;
    if (named.has(key) || named.size >= NAMED) return;
    named.add(key);
    log.warn({ stream, type, position: String(position) }, TEXT[kind]);
  };
};
