import { DomainError } from '../../domain/decider.js';
import { type Json, type JsonObject } from '../../domain/json.js';
import { type ExistingProject } from '../../domain/project/project.js';
import { type Evaluators, evaluatorsOf } from './evaluators.js';
import { isObject } from './place.js';

/** The parts of a file in flagd's flag definition format (flagd.dev/schema/v0/flags.json). */
export type FlagdFile = Readonly<{
  flags: JsonObject;
  evaluators: Evaluators;
  /** Of the whole set; nothing here belongs to it. */
  metadata: JsonObject | undefined;
}>;

const objectOrNothing = (value: Json | undefined): JsonObject | undefined =>
  isObject(value) ? value : undefined;

/** The environment of this project that a file was exported from; undefined when it was not. */
export const exportedFrom = (
  { metadata }: JsonObject,
  { key, environments }: ExistingProject,
): string | undefined => {
  const { flagSetId, scope } = objectOrNothing(metadata) ?? {};
  if (flagSetId !== scope) return undefined;
  return environments.find((one) => flagSetId === `${key}/${one.key}`)?.key;
};

/** @throws DomainError `invalid-flagd-file` when it is no such file at all */
export const readFlagdFile = (file: JsonObject): FlagdFile => {
  const { flags } = file as { flags?: Json };
  if (!isObject(flags)) {
    throw new DomainError('invalid-flagd-file', '/flags must be an object of flag definitions.');
  }
  return {
    flags,
    evaluators: evaluatorsOf(objectOrNothing(file['$evaluators']) ?? {}),
    metadata: objectOrNothing(file['metadata']),
  };
};
