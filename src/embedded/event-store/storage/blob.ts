/** A BLOB column as libsql returns it: a Buffer from `get`, a bare ArrayBuffer from `all`. */
export type Blob = Buffer | ArrayBuffer;

/** The bytes of a BLOB column, without copying them. */
export const bufferOf = (blob: Blob): Buffer =>
  blob instanceof ArrayBuffer ? Buffer.from(blob) : blob;
