import { createHash } from 'node:crypto';
import { canonicalJson, type Json } from './json.js';

/**
 * Fingerprints of one field as it was merged last: what the source said (a file, another environment), and what the
 * flag or segment had then. They tell who changed it since, and hold no value that might have to be erased.
 */
export type MergedField = Readonly<{ source: string; here: string }>;

/** By field, named by a JSON pointer such as `/environments/production/rules`. */
export type MergeBase = Readonly<Record<string, MergedField>>;

/** Equal for equal values, whatever the order of an object's members. */
export const fingerprint = (value: Json): string =>
  createHash('sha256').update(canonicalJson(value)).digest('base64url').slice(0, 22);
