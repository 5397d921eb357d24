/** "CFes" in ASCII: marks the SQLite file as an event log of this server. */
export const APPLICATION_ID = 0x43466573;

/** Raised with every change of the schema or the frames; a higher one is refused at opening. */
export const FORMAT_VERSION = 1;

/** The log's file inside the database directory. */
export const LOG_FILE = 'events.db';

/** The position of the first event. */
export const FIRST_POSITION = 1;

/**
 * `position` is the running sum of frame sizes, as in EventStoreDB: the next position is always
 * `position + length(frame)`, which bounds reads by bytes and shows a missing row.
 * `frame` is the encoded ReadResp (frame.ts), `crc` its CRC-32, `created` milliseconds since the epoch.
 */
export const SCHEMA = `
  create table streams (
    id   integer primary key,
    name text not null,
    constraint streams_name_key unique (name)
  ) strict;

  create table events (
    position integer primary key,
    stream   integer not null references streams (id),
    revision integer not null,
    id       blob not null,
    type     text not null,
    created  integer not null,
    crc      integer not null,
    frame    blob not null
  ) strict;

  create unique index events_stream_revision on events (stream, revision);

  pragma application_id = ${APPLICATION_ID};
  pragma user_version = ${FORMAT_VERSION};
`;
