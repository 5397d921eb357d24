import { encode, type Encoder, fieldOf, fieldsOf, type Uint } from './protobuf.js';

/** The revision a tombstone is stored under; on the wire it is 2^63 - 1, as a real server has it. */
export const TOMBSTONE_REVISION = Number.MAX_SAFE_INTEGER;

const TOMBSTONE_ON_WIRE = 2n ** 63n - 1n;
const TICKS_PER_MS = '0000';
const JSON_TYPE = 'application/json';
const BINARY_TYPE = 'application/octet-stream';

/** An event as its writer proposed it; `id` is a lower-case UUID with hyphens. */
export type ProposedEvent = Readonly<{
  id: string;
  type: string;
  isJson: boolean;
  data: Uint8Array;
  metadata: Uint8Array;
}>;

/** An event in its place in the log; `createdMs` counts from the Unix epoch. */
export type PlacedEvent = ProposedEvent &
  Readonly<{ stream: string; revision: number; position: number; createdMs: number }>;

const revisionOnWire = (revision: number): Uint =>
  revision === TOMBSTONE_REVISION ? TOMBSTONE_ON_WIRE : revision;

const mapEntry = (out: Encoder, key: string, value: string): void => {
  out.nest(6, () => {
    out.text(2, value);
    out.text(1, key);
  });
};

/** The fields of a record that the log also keeps as columns; they stand together at its beginning. */
type RecordHead = Omit<PlacedEvent, keyof ProposedEvent> & Pick<ProposedEvent, 'id' | 'type'>;

const recordHead = (out: Encoder, event: RecordHead): void => {
  mapEntry(out, 'created', `${event.createdMs}${TICKS_PER_MS}`);
  mapEntry(out, 'type', event.type);
  out.uint(5, event.position);
  out.uint(4, event.position);
  out.uint(3, revisionOnWire(event.revision));
  out.nest(2, () => {
    out.text(3, event.stream);
  });
  out.nest(1, () => {
    out.text(2, event.id);
  });
};

const recordedEvent = (out: Encoder, event: PlacedEvent): void => {
  out.bytes(8, event.data);
  out.bytes(7, event.metadata);
  mapEntry(out, 'content-type', event.isJson ? JSON_TYPE : BINARY_TYPE);
  recordHead(out, event);
};

/**
 * The event as a complete, encoded `ReadResp`: it is what the log stores and what every reader is sent,
 * so an event is encoded once in its life. Field numbers: streams.proto.
 */
export const encodeFrame = (event: PlacedEvent): Buffer =>
  encode((out) => {
    out.nest(1, () => {
      out.uint(3, event.position);
      out.nest(1, () => {
        recordedEvent(out, event);
      });
    });
  });

/** The tags and lengths of the two messages around a record: at most six bytes each. */
const MAX_WRAPPING_BYTES = 12;

/** Whether this frame holds the event with these columns. */
export const isFrameOf = (frame: Buffer, event: RecordHead): boolean => {
  const head = encode((out) => {
    recordHead(out, event);
  });
  return frame.subarray(0, MAX_WRAPPING_BYTES + head.length).includes(head);
};

/** The encoded `RecordedEvent` inside a frame. Throws RangeError when the frame is malformed. */
const recordIn = (frame: Buffer): Buffer => {
  const readEvent = fieldOf(frame, 1)?.bytes;
  const record = readEvent && fieldOf(readEvent, 1)?.bytes;
  if (!record) throw new RangeError('A stored frame holds no event.');
  return record;
};

const nestedText = (source: Buffer | undefined, number: number): string =>
  (source && fieldOf(source, number))?.bytes.toString() ?? '';

/** The parts of a frame that links, stream metadata and the integrity check need. */
export const decodeFrame = (
  frame: Buffer,
): Readonly<{ stream: string; position: number; isJson: boolean; data: Buffer }> => {
  const fields = fieldsOf(recordIn(frame));
  const last = (number: number) => fields.findLast((field) => field.number === number);
  return {
    stream: nestedText(last(2)?.bytes, 3),
    position: Number(last(5)?.int),
    isJson: fields.some((field) => field.number === 6 && nestedText(field.bytes, 2) === JSON_TYPE),
    data: last(8)?.bytes ?? Buffer.alloc(0),
  };
};

/** A `ReadResp` for a link read with `resolve_links`; `target` is absent when what it points to is gone. */
export const encodeResolvedLink = (
  link: Buffer,
  linkPosition: number,
  target: Buffer | undefined,
): Buffer =>
  encode((out) => {
    out.nest(1, () => {
      out.uint(3, linkPosition);
      out.bytes(2, recordIn(link));
      if (target) out.bytes(1, recordIn(target));
    });
  });
