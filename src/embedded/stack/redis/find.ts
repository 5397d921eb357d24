import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The first of `names` that is an executable file in a folder of `searchPath` (the form of $PATH). */
export const findProgram = (names: readonly string[], searchPath: string): string | undefined => {
  const folders = searchPath.split(delimiter).filter((folder) => folder !== '');
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
};

/** Redis, or Valkey, which speaks the same protocol and reads the same configuration. */
export const findRedis = (searchPath: string): string | undefined =>
  findProgram(['redis-server', 'valkey-server'], searchPath);
