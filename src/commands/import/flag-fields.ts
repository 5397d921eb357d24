import {
  type Configuration,
  namedVariants,
  type Variant,
} from '../../domain/flag/configuration.js';
import { configurationOf, type ExistingFlag, type Flag } from '../../domain/flag/flag.js';
import { type ServingEntry } from '../../domain/flagd/export.js';
import { type Written } from '../../domain/flagd/here.js';
import { type FlagDefinition, type ParsedFlag } from '../../domain/flagd/parse.js';
import { type Json, type JsonObject, sameJson } from '../../domain/json.js';
import { type Field } from '../environments/merging.js';
import { type ImportedConfiguration } from '../flag/import-flag.js';

/** An entry of the file that can be taken. */
export type FileFlag = Exclude<ParsedFlag, Readonly<{ refusal: unknown }>> &
  Readonly<{ raw: JsonObject }>;

const PARTS = ['enabled', 'targets', 'rules', 'fallthrough'] as const;

type Part = (typeof PARTS)[number];

const partOf = (configuration: Configuration, part: Part): Json => configuration[part] ?? [];

const escaped = (step: string): string => step.replace(/~/g, '~0').replace(/\//g, '~1');
const unescaped = (step: string): string => step.replace(/~1/g, '/').replace(/~0/g, '~');

const variantField = (name: string): string => `/variants/${escaped(name)}`;
const partField = (environment: string, part: string): string =>
  `/environments/${environment}/${part}`;

const valueOf = (variants: readonly Variant[], name: string): Json =>
  variants.find((variant) => variant.name === name)?.value ?? null;

/** What a flag has in a field; null: nothing. */
export const readField = (flag: Flag, field: string): Json => {
  if (flag.status === 'absent') return null;
  const [, first, second = '', part = ''] = field.split('/');
  if (first === 'description') return flag.description;
  if (first === 'metadata') return flag.metadata ?? {};
  return first === 'variants'
    ? valueOf(flag.variants, unescaped(second))
    : partOf(configurationOf(flag, second), part as Part);
};

const says = (entry: JsonObject | ServingEntry): Json => {
  const { state = null, defaultVariant = null, targeting = null } = entry as JsonObject;
  return [state, defaultVariant, targeting];
};

/** Whether an entry says of an environment what an export would say now. */
const saysTheSame = (raw: JsonObject, written: Written | undefined): boolean =>
  written !== undefined && sameJson(says(raw), says(written.entry));

/** Off, and no word of what would be served: that stays. */
const saysOnlyOff = ({ defaultVariant = null, targeting = null }: JsonObject): boolean =>
  defaultVariant === null &&
  (targeting === null || (typeof targeting === 'object' && Object.keys(targeting).length === 0));

const spokenParts = ({ definition, raw }: FileFlag): Partial<ImportedConfiguration> => {
  const { enabled, targets, rules, fallthrough } = definition;
  if (!enabled && saysOnlyOff(raw)) return { enabled };
  return { enabled, ...(targets && { targets }), rules, fallthrough };
};

/** The configuration that a flag that is here would get in one environment. */
const configurationFor = (
  flag: FileFlag,
  written: Written | undefined,
): Partial<ImportedConfiguration> => {
  const spoken = spokenParts(flag);
  if (spoken.rules === undefined || written === undefined) return spoken;
  const { targets, ...targeting } = flag.targetingFor(written.parts);
  return { ...spoken, ...targeting, ...(targets && { targets }) };
};

type Surveyed = Readonly<{
  here: ExistingFlag;
  environment: string;
  written: Written | undefined;
  /** Whether an earlier import spoke of a field. */
  isKnown: (field: string) => boolean;
}>;

/** What a file says of an environment. It says that nobody is a target when it says so no more. */
const saidParts = (
  spoken: Partial<ImportedConfiguration>,
  { environment, isKnown }: Surveyed,
): Partial<ImportedConfiguration> =>
  spoken.rules !== undefined && isKnown(partField(environment, 'targets'))
    ? { targets: [], ...spoken }
    : spoken;

/** What the import of a file may change in one environment. */
export const environmentFields = (flag: FileFlag, surveyed: Surveyed): readonly Field[] => {
  const { here, environment, written } = surveyed;
  const source = saidParts(spokenParts(flag), surveyed);
  const present = configurationOf(here, environment);
  const isSame = saysTheSame(flag.raw, written);
  const wanted = isSame ? present : saidParts(configurationFor(flag, written), surveyed);
  const mine = { ...present, ...wanted };
  return PARTS.filter((part) => source[part] !== undefined).map((part) => ({
    name: partField(environment, part),
    theirs: partOf(present, part),
    mine: partOf(mine, part),
    source: source[part] ?? null,
  }));
};

/** What holds for all environments alike. `closed`: why an import may not change it; new variants it may add. */
export const sharedFields = (
  { description, metadata, variants }: FlagDefinition,
  here: ExistingFlag,
  closed: string | undefined,
): readonly Field[] => {
  const names = [...new Set([...here.variants, ...variants].map(({ name }) => name))];
  const why = closed === undefined ? {} : { closed };
  const details: readonly Field[] = [
    { name: '/description', theirs: here.description, mine: description ?? here.description },
    { name: '/metadata', theirs: here.metadata ?? {}, mine: metadata ?? here.metadata ?? {} },
  ];
  const values = names.map((name): Field => {
    const theirs = valueOf(here.variants, name);
    const mine = valueOf(variants, name);
    return { name: variantField(name), theirs, mine, ...(theirs === null ? {} : why) };
  });
  return [...details.map((field) => ({ ...field, ...why })), ...values];
};

/** Those that are here first, in their order and with their descriptions. */
export const mergedVariants = (
  here: readonly Variant[],
  file: readonly Variant[],
  taken: ReadonlySet<string>,
): readonly Variant[] => {
  const values = here.flatMap((variant) => {
    if (!taken.has(variantField(variant.name))) return [variant];
    const value = valueOf(file, variant.name);
    return value === null ? [] : [{ ...variant, value }];
  });
  const added = file.filter(
    ({ name }) => taken.has(variantField(name)) && here.every((variant) => variant.name !== name),
  );
  return [...values, ...added];
};

/** Warnings about variants that expressions name and the flag does not have: who gets one gets an error, as in flagd. */
export const warningsOf = ({ rules, variants }: FlagDefinition): readonly string[] => {
  const plain = { enabled: true, offVariant: null, fallthrough: { variant: null }, targets: [] };
  return [...namedVariants({ ...plain, rules })]
    .filter((name) => variants.every((variant) => variant.name !== name))
    .map(
      (name) =>
        `The targeting names "${name}", which is no variant of the flag: whoever gets it gets an error.`,
    );
};
