import type Libsql from 'libsql';

/** An open SQLite connection. */
export type Database = Libsql.Database;
