import { readFileSync } from 'node:fs';

/** A JSON file below test/fixtures. */
export const fixture = <T>(path: string): T =>
  JSON.parse(readFileSync(new URL(`../fixtures/${path}`, import.meta.url), 'utf8')) as T;
