import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { type Pool } from 'pg';
import { type StreamSnapshot } from '../../commands/streams/snapshots.js';
import { type SnapshotTable } from '../../commands/streams/take-snapshots.js';
import { positionInJson, toPosition } from '../../domain/position.js';
import { withDeadline } from '../waiting.js';
import { type MasterKey } from '../keys/master-key.js';

/** After this the stream is read without. */
const LOAD_MS = 1_000;

/** Most of it is sealed text, which hardly gets smaller. */
const LEVEL = 1;

const LENGTH_BYTES = 4;

const [compress, decompress] = [promisify(gzip), promisify(gunzip)];

type Stored = Omit<StreamSnapshot<unknown>, 'commands' | 'position'> &
  Readonly<{ position: string | number }>;

/** The length of the JSON, the JSON, and the digests of commands. */
const packed = ({ commands, ...head }: StreamSnapshot<unknown>): Buffer => {
  const stored: Stored = { ...head, position: positionInJson(head.position) };
  const json = Buffer.from(JSON.stringify(stored));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(json.length);
  return Buffer.concat([length, json, Buffer.from(commands.buffer)]);
};

const unpacked = (bytes: Buffer): StreamSnapshot<unknown> => {
  const end = LENGTH_BYTES + bytes.readUInt32BE();
  const head = JSON.parse(bytes.subarray(LENGTH_BYTES, end).toString()) as Stored;
  // A copy, because the digests have to begin at a multiple of their size.
  const digests = Uint8Array.from(bytes.subarray(end));
  return {
    ...head,
    position: toPosition(head.position),
    commands: new BigUint64Array(digests.buffer),
  };
};

/**
 * Snapshots in Postgres, each sealed for its stream with the master key: what was altered, or is another stream's or
 * installation's, is not taken for one.
 */
export const snapshotTable = (
  pool: Pool,
  masterKey: MasterKey,
  unreadable: (error: unknown, stream: string) => void,
): SnapshotTable => {
  const sealing = masterKey.for('snapshots of streams');

  const read = async (stream: string): Promise<StreamSnapshot<unknown> | undefined> => {
    const { rows } = await pool.query<{ body: Buffer }>({
      name: 'stream_snapshot',
      text: 'select s.body from chronoflag.stream_snapshot s where s.stream = $1',
      values: [stream],
    });
    const [row] = rows;
    return row && unpacked(await decompress(sealing.unwrap(row.body, stream)));
  };

  return {
    load: async <S>(stream: string) => {
      try {
        const late = (): Error => new Error('Postgres is slow.');
        return (await withDeadline(read(stream), LOAD_MS, late)) as StreamSnapshot<S> | undefined;
      } catch (error) {
        unreadable(error, stream);
        return undefined;
      }
    },

    save: async (stream, snapshot) => {
      const body = sealing.wrap(await compress(packed(snapshot), { level: LEVEL }), stream);
      await pool.query({
        name: 'keep_stream_snapshot',
        text: `insert into chronoflag.stream_snapshot (stream, body)
               values ($1, $2)
                   on conflict on constraint stream_snapshot_pk
                      do update set body = excluded.body, taken_at = now()`,
        values: [stream, body],
      });
    },
  };
};
