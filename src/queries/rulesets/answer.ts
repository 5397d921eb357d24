import { type Resolution } from '../../domain/evaluation/resolution.js';
import { type FlagMetadata } from '../../domain/flag/events.js';
import { canonicalJson, type Json } from '../../domain/json.js';

/** A resolution with the JSON texts that answers are put together from. */
export type Answer = Readonly<{
  resolution: Resolution;
  /** The answer about this one flag, open at the end: the position is still to come. */
  alone: string;
  /** The member of the map of all flags, with the comma in front of it. */
  member: string;
  /** OFREP's answer about this one flag: a success, or a failure where the flag itself is faulty. */
  ofrep: string;
  /** The same as an item of OFREP's list of all flags, with the comma in front of it. */
  item: string;
}>;

/** Postgres does not keep the order of members, so objects are served with theirs sorted. A float is served with a fraction also when it is integral, so that typed clients read every variant alike. */
const valueText = (value: Json, isFloat: boolean): string => {
  const text = canonicalJson(value);
  return isFloat && /^-?\d+$/.test(text) ? `${text}.0` : text;
};

const membersOf = (resolution: Resolution): string => {
  const { value, variant, reason, ruleId, errorCode, flagRevision, isFloat } = resolution;
  return [
    ...(value === undefined ? [] : [`"value":${valueText(value, isFloat)}`]),
    ...(variant === undefined ? [] : [`"variant":${JSON.stringify(variant)}`]),
    `"reason":"${reason}"`,
    ...(ruleId === undefined ? [] : [`"ruleId":${JSON.stringify(ruleId)}`]),
    ...(errorCode === undefined ? [] : [`"errorCode":"${errorCode}"`]),
    `"flagRevision":${flagRevision}`,
  ].join(',');
};

/** Clients know the reasons of the specification only; a flag whose prerequisites fail is off. */
const STANDARD: Readonly<Record<string, string>> = { PREREQUISITE_FAILED: 'DISABLED' };

/** In the shapes that the clients of every language can read: reference and quirks in docs/openfeature.md. */
const ofrepText = (resolution: Resolution, metadata: FlagMetadata): string => {
  const { flagKey, value, variant, reason, errorCode, isFloat } = resolution;
  const told =
    errorCode === undefined
      ? [
          ...(value === undefined ? [] : [`"value":${valueText(value, isFloat)}`]),
          `"reason":"${STANDARD[reason] ?? reason}"`,
          ...(variant === undefined ? [] : [`"variant":${JSON.stringify(variant)}`]),
        ]
      : [
          `"errorCode":"${errorCode}"`,
          '"errorDetails":"The flag names a variant that it does not have."',
        ];
  return `{"key":${JSON.stringify(flagKey)},${told.join(',')},"metadata":${canonicalJson(metadata)}}`;
};

/** Serialises a resolution once, when its ruleset changes, for all the answers that will carry it. */
export const prepareAnswer = (resolution: Resolution, metadata: FlagMetadata = {}): Answer => {
  const key = JSON.stringify(resolution.flagKey);
  const members = membersOf(resolution);
  const ofrep = ofrepText(resolution, metadata);
  return Object.freeze({
    resolution,
    alone: `{"flagKey":${key},${members}`,
    member: `,${key}:{${members}}`,
    ofrep,
    item: `,${ofrep}`,
  });
};
