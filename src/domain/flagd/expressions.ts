import { type Json, type JsonObject } from '../json.js';
import {
  type AttributeClause,
  attributePath,
  type ClauseValue,
  type Operator,
} from '../targeting/clause.js';
import { type Version, versionOf } from '../targeting/version.js';

// JSONLogic as every flagd provider reads it the same: typed equality, no operator that fails for some type, none of
// flagd's own operators within a list.

/** What JSONLogic cannot say exactly. Caught by whoever exports a flag. */
export class Inexpressible extends Error {
  override readonly name = 'Inexpressible';
}

/** @throws Inexpressible */
export const cannotExpress = (what: string): never => {
  throw new Inexpressible(what);
};

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

export const all = (parts: readonly Json[]): Json => {
  const asked = parts.filter((part) => part !== true);
  if (asked.includes(false)) return false;
  const [only = true] = asked;
  return asked.length < 2 ? only : { and: asked };
};

/** What `all` joined. */
export const allParts = (expression: Json): readonly Json[] => {
  const { and } = (expression ?? {}) as JsonObject;
  return isList(and) ? and : [expression];
};

export const any = (parts: readonly Json[]): Json => {
  const asked = parts.filter((part) => part !== false);
  if (asked.includes(true)) return true;
  const [only = false] = asked;
  return asked.length < 2 ? only : { or: asked };
};

export const not = (part: Json): Json => (typeof part === 'boolean' ? !part : { '!': [part] });

export const isNull = (value: Json): Json => ({ '===': [value, null] });
export const isPresent = (value: Json): Json => ({ '!==': [value, null] });

/** Only a text is what joining it with nothing makes of it. */
export const isText = (value: Json): Json => ({ '===': [value, { cat: [value, ''] }] });

/** For texts, numbers, booleans and null. */
export const isNumber = (value: Json): Json =>
  all([isPresent(value), { '!==': [value, true] }, { '!==': [value, false] }, not(isText(value))]);

/** The list of an `if`: conditions and results by turns, at the end perhaps what holds otherwise. */
export const chainOf = (expression: Json): readonly Json[] | undefined => {
  if (typeof expression !== 'object' || expression === null || isList(expression)) return undefined;
  const [name, ...more] = Object.keys(expression);
  const list = name === 'if' && more.length === 0 ? expression['if'] : undefined;
  return isList(list) && list.length > 1 ? list : undefined;
};

/** One more condition, asked before all others. Without `otherwise` that is null, which `if` says by itself. */
export const choose = (condition: Json, result: Json, otherwise: Json): Json => {
  if (typeof condition === 'boolean') return condition ? result : otherwise;
  const rest = chainOf(otherwise) ?? (otherwise === null ? [] : [otherwise]);
  return { if: [condition, result, ...rest] };
};

/** Names that providers read in their own ways: with escapes, as positions, or as what texts and lists have. */
const isPlain = (name: string, index: number): boolean =>
  !/[./\\]/.test(name) &&
  !(name in Object.prototype) &&
  !(index === 0 && name.startsWith('$')) &&
  !(index > 0 && /^(\d+|length)$/.test(name));

/** The attribute that a path names. @throws Inexpressible */
export const variable = (path: string): Json => {
  const names = attributePath(path);
  return names?.every(isPlain)
    ? { var: names.join('.') }
    : cannotExpress(`the attribute "${path}" has no name that every provider reads alike`);
};

/** What a clause says of one value: two expressions, of which neither is true when it is unknown. */
export type Test = Readonly<{ isTrue: Json; isFalse: Json }>;

export type ElementTest = (value: Json, clause: AttributeClause) => Test;

const isBoolean = (value: Json): Json => any([{ '===': [value, true] }, { '===': [value, false] }]);

const IS_OF_TYPE: readonly (readonly [string, (value: Json) => Json])[] = [
  ['string', isText],
  ['number', isNumber],
  ['boolean', isBoolean],
];

const isOneOf = (value: Json, values: readonly ClauseValue[]): Json => {
  const texts = values.filter((one) => typeof one === 'string');
  const others = values.filter((one) => typeof one !== 'string');
  return any([
    ...(texts.length === 0 ? [] : [{ in: [value, texts] }]),
    ...others.map((one): Json => ({ '===': [value, one] })),
  ]);
};

/** Texts among texts, but not the number 1 among the texts: `in` of a list is typed, unlike `==`. */
const isIn: ElementTest = (value, { values }) => {
  const isAny = isOneOf(value, values);
  const types = IS_OF_TYPE.filter(([type]) => values.some((one) => typeof one === type));
  const isComparable = any(types.map(([, isOfType]) => isOfType(value)));
  return { isTrue: isAny, isFalse: all([isComparable, not(isAny)]) };
};

const guarded =
  (guard: (value: Json) => Json, ask: (value: Json, wanted: ClauseValue) => Json): ElementTest =>
  (value, { values }) => {
    const isAny = any(values.map((wanted) => ask(value, wanted)));
    return { isTrue: all([guard(value), isAny]), isFalse: all([guard(value), not(isAny)]) };
  };

const onText = (ask: (value: Json, wanted: string) => Json): ElementTest =>
  guarded(isText, (value, wanted) => ask(value, String(wanted)));

const onNumber = (operator: string): ElementTest =>
  guarded(isNumber, (value, wanted) => ({ [operator]: [value, Number(wanted)] }));

/** For a single value and each element of a list alike. */
export const ELEMENT_TESTS: ReadonlyMap<Operator, ElementTest> = new Map<Operator, ElementTest>([
  ['in', isIn],
  ['contains', onText((value, wanted) => ({ in: [wanted, value] }))],
  [
    'startsWith',
    onText((value, wanted) => ({ '===': [{ substr: [value, 0, wanted.length] }, wanted] })),
  ],
  [
    'endsWith',
    onText((value, wanted) => ({ '===': [{ substr: [value, -wanted.length] }, wanted] })),
  ],
  ['numberEquals', onNumber('==')],
  ['lessThan', onNumber('<')],
  ['lessThanOrEqual', onNumber('<=')],
  ['greaterThan', onNumber('>')],
  ['greaterThanOrEqual', onNumber('>=')],
]);

type Bound = Readonly<{ operator: '=' | '<' | '<=' | '>' | '>='; version: string }>;

const CONTRARY = { '=': '!=', '<': '>=', '<=': '>', '>': '<=', '>=': '<' } as const;

const full = ({ major, minor, patch, prerelease }: Version): string =>
  `${major}.${minor}.${patch}${prerelease === '' ? '' : `-${prerelease}`}`;

/** The first version of these numbers: no pre-release comes before `-0`. */
const firstOf = (major: number, minor = 0, patch = 0): string => `${major}.${minor}.${patch}-0`;

const belowTilde = ({ major, minor, given }: Version): string =>
  given === 1 ? firstOf(major + 1) : firstOf(major, minor + 1);

/** npm's rule, section "Caret Ranges": as long as the first number that is not 0 stays. */
const belowCaret = ({ major, minor, patch, given }: Version): string => {
  if (major > 0 || given === 1) return firstOf(major + 1);
  return minor > 0 || given === 2 ? firstOf(0, minor + 1) : firstOf(0, 0, patch + 1);
};

const one =
  (operator: Bound['operator']) =>
  (version: Version): readonly Bound[] => [{ operator, version: full(version) }];

const from =
  (below: (version: Version) => string) =>
  (version: Version): readonly Bound[] => [
    { operator: '>=', version: full(version) },
    { operator: '<', version: below(version) },
  ];

const BOUNDS: ReadonlyMap<Operator, (version: Version) => readonly Bound[]> = new Map([
  ['semverEquals', one('=')],
  ['semverLessThan', one('<')],
  ['semverLessThanOrEqual', one('<=')],
  ['semverGreaterThan', one('>')],
  ['semverGreaterThanOrEqual', one('>=')],
  ['semverTilde', from(belowTilde)],
  ['semverCaret', from(belowCaret)],
]);

/** flagd's own `~` and `^` compare leading numbers only: ours are written as two bounds. */
export const versionTest = (
  value: Json,
  operator: Operator,
  values: readonly ClauseValue[],
): Test | undefined => {
  const boundsOf = BOUNDS.get(operator);
  if (boundsOf === undefined) return undefined;
  const ranges = values.map((wanted) => {
    const version = versionOf(String(wanted));
    return version === undefined ? cannotExpress(`"${wanted}" is no version`) : boundsOf(version);
  });
  const holds = ({ operator: name, version }: Bound): Json => ({ sem_ver: [value, name, version] });
  const fails = ({ operator: name, version }: Bound): Json => ({
    sem_ver: [value, CONTRARY[name], version],
  });
  return {
    isTrue: all([isText(value), any(ranges.map((bounds) => all(bounds.map(holds))))]),
    isFalse: all([isText(value), all(ranges.map((bounds) => any(bounds.map(fails))))]),
  };
};
