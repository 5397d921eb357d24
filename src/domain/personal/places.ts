import { type Configuration } from '../flag/configuration.js';
import { type FlagContent } from '../flag/events.js';
import { type SegmentContent } from '../segment/events.js';
import { mapTexts } from './sealed-text.js';

/** Where a person is named: as a target of a variant, in a rule, or in one of a segment's lists. */
export type Place = Readonly<
  | { where: 'target'; environment: string | null; variant: string }
  | { where: 'rule'; environment: string | null; ruleId: string }
  | { where: 'included' | 'excluded' }
>;

type Names = (text: string) => boolean;

const isNamedIn = (value: unknown, names: Names): boolean => {
  let isNamed = false;
  mapTexts(value, (text) => {
    isNamed ||= names(text);
    return text;
  });
  return isNamed;
};

const inRules = (
  rules: readonly Readonly<{ id: string }>[],
  environment: string | null,
  names: Names,
): readonly Place[] =>
  rules
    .filter((rule) => isNamedIn(rule, names))
    .map(({ id }) => ({ where: 'rule', environment, ruleId: id }));

const inConfiguration = (
  { targets, rules = [] }: Configuration,
  environment: string | null,
  names: Names,
): readonly Place[] => [
  ...targets
    .filter(({ keys }) => keys.some(names))
    .map(({ variant }): Place => ({ where: 'target', environment, variant })),
  ...inRules(rules, environment, names),
];

/** `environment` is null in what holds for every environment without a configuration of its own. */
export const placesInFlag = (flag: FlagContent, names: Names): readonly Place[] => [
  ...inConfiguration(flag.defaults, null, names),
  ...Object.entries(flag.environments).flatMap(([environment, own]) =>
    inConfiguration(own, environment, names),
  ),
];

export const placesInSegment = (segment: SegmentContent, names: Names): readonly Place[] => [
  ...(segment.included.some(names) ? [{ where: 'included' } as const] : []),
  ...(segment.excluded.some(names) ? [{ where: 'excluded' } as const] : []),
  ...inRules(segment.rules, null, names),
];
