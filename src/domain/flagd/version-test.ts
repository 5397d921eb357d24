import { type Json } from '../json.js';
import { type ClauseValue, type Operator } from '../targeting/clause.js';
import { type Version, versionOf } from '../targeting/version.js';
import { type Test } from './element-tests.js';
import { all, any, cannotExpress, isText } from './expressions.js';

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
