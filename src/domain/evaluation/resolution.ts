import { type FlagType } from '../flag/configuration.js';
import { type Json } from '../json.js';

/**
 * Why this answer: the reasons of the OpenFeature specification (types, resolution details) that we give, and
 * PREREQUISITE_FAILED, which it does not have.
 */
export const REASONS = [
  'STATIC',
  'DEFAULT',
  'TARGETING_MATCH',
  'SPLIT',
  'PREREQUISITE_FAILED',
  'DISABLED',
  'ERROR',
] as const;

export type Reason = (typeof REASONS)[number];

/** What a flag resolves to. Without `value` and `variant` the application's own default holds. */
export type Resolution = Readonly<{
  flagKey: string;
  flagType: FlagType;
  /** Tells floats from integers when served: true when any variant of the flag is not an integer. */
  isFloat: boolean;
  value?: Json;
  variant?: string;
  reason: Reason;
  /** The rule that decided, if one did. */
  ruleId?: string;
  /** GENERAL: the configuration names a variant that the flag does not have, or finding out takes too many steps. */
  errorCode?: 'GENERAL';
  flagRevision: number;
}>;
