import { createRequire } from 'node:module';
import type * as Streams from '@eventstore/db-client/generated/streams_pb.js';
import { type StandIn } from './stand-in-store.js';

const require = createRequire(import.meta.url);
const { BatchAppendResp, ReadReq } =
  require('@eventstore/db-client/generated/streams_pb') as typeof Streams;

/** What has positions in the store's protocol. */
type Place = {
  getCommitPosition: () => string;
  setCommitPosition: (value: string) => unknown;
  getPreparePosition: () => string;
  setPreparePosition: (value: string) => unknown;
};

const move = (place: Place | undefined, by: bigint): void => {
  if (place === undefined) return;
  place.setCommitPosition(String(BigInt(place.getCommitPosition()) + by));
  place.setPreparePosition(String(BigInt(place.getPreparePosition()) + by));
};

/** A stand-in for a store whose log is longer by so much than that of the one behind it. */
export const farPositions = (by: bigint): StandIn => ({
  asks: (bytes) => {
    const request = ReadReq.deserializeBinary(bytes);
    move(request.getOptions()?.getAll()?.getPosition(), -by);
    return Buffer.from(request.serializeBinary());
  },
  rewriting: () => (answer) => {
    const event = answer.getEvent();
    move(event?.getEvent(), by);
    if (event?.hasCommitPosition() === true)
      event.setCommitPosition(String(BigInt(event.getCommitPosition()) + by));
    move(answer.getCheckpoint(), by);
    return [answer];
  },
  appended: (bytes) => {
    const answer = BatchAppendResp.deserializeBinary(bytes);
    move(answer.getSuccess()?.getPosition(), by);
    return Buffer.from(answer.serializeBinary());
  },
});
