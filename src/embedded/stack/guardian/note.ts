import { renameSync, writeFileSync } from 'node:fs';

/**
 * Writes something for a later start to read, if it can. On a full disk or in a folder that somebody has removed it
 * cannot; that must not keep the guardian from its duty to end the services.
 */
export const writeNote = (file: string, content: unknown): void => {
  try {
    const fresh = `${file}.${process.pid}`;
    writeFileSync(fresh, JSON.stringify(content), { mode: 0o600 });
    renameSync(fresh, file); // in one step: readers never see half a note
  } catch {
    // the note is missing then: a later start cannot tell who has the directory, nor find what was left running
  }
};
