import { encode } from './encoder.js';

/** `ReadResp.confirmation`: the first message of every subscription. */
export const encodeConfirmation = (subscriptionId: string): Buffer =>
  encode((out) => {
    out.nest(2, () => {
      out.text(1, subscriptionId);
    });
  });

/** `ReadResp.checkpoint`: everything up to this position has been considered. */
export const encodeCheckpoint = (commit: number, prepare = commit): Buffer =>
  encode((out) => {
    out.nest(3, () => {
      out.uint(2, prepare);
      out.uint(1, commit);
    });
  });

/** `ReadResp.stream_not_found`: in-band, because the client does not look for it in the trailers. */
export const encodeStreamNotFound = (stream: string): Buffer =>
  encode((out) => {
    out.nest(4, () => {
      out.nest(1, () => {
        out.text(3, stream);
      });
    });
  });

/** `ReadResp.caught_up`: from here on the subscription is live. */
export const CAUGHT_UP = encode((out) => {
  out.nest(8);
});

/** `DeleteResp` and `TombstoneResp`: the position of the record that deletes. */
export const encodeDeleted = (position: number): Buffer =>
  encode((out) => {
    out.nest(1, () => {
      out.uint(2, position);
      out.uint(1, position);
    });
  });
