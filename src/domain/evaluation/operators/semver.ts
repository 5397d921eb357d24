import { compareVersions, readVersion, type Version, versionOf } from '../../targeting/version.js';
import { FALSE, TRUE, UNKNOWN } from '../truth.js';
import { alwaysUnknown, type TestFactory } from './value-test.js';

/** `from` itself is within the range, `below` is not; undefined has no end there. */
type Range = Readonly<{ from?: Version; below?: Version }>;

// One for the process: a version is read and compared without giving way to another.
const subject: Version = { major: 0, minor: 0, patch: 0, given: 0, prerelease: '' };

/** The very first version of these numbers: no pre-release comes before `-0`. */
const firstOf = (major: number, minor: number, patch: number): Version => ({
  major,
  minor,
  patch,
  given: 3,
  prerelease: '0',
});

const isWithin = ({ from, below }: Range): boolean =>
  (from === undefined || compareVersions(subject, from) >= 0) &&
  (below === undefined || compareVersions(subject, below) < 0);

const versionsOf = (values: readonly unknown[]): readonly Version[] | undefined => {
  const versions = values.map((value) => versionOf(String(value)));
  return versions.every((version) => version !== undefined) ? versions : undefined;
};

const testing =
  <Wanted>(
    prepare: (version: Version) => Wanted,
    holds: (wanted: Wanted) => boolean,
  ): TestFactory =>
  (values) => {
    const wanted = versionsOf(values)?.map(prepare);
    if (wanted === undefined) return alwaysUnknown;
    return (value) => {
      if (typeof value !== 'string' || !readVersion(value, subject)) return UNKNOWN;
      for (const one of wanted) if (holds(one)) return TRUE;
      return FALSE;
    };
  };

const comparing = (holds: (order: number) => boolean): TestFactory =>
  testing(
    (version) => version,
    (version) => holds(compareVersions(subject, version)),
  );

export const semverEquals = comparing((order) => order === 0);
export const semverLessThan = comparing((order) => order < 0);
export const semverLessThanOrEqual = comparing((order) => order <= 0);
export const semverGreaterThan = comparing((order) => order > 0);
export const semverGreaterThanOrEqual = comparing((order) => order >= 0);

/** `~1.2.3`: from it on, below 1.3.0; `~1`: below 2.0.0. */
const tilde = (from: Version): Range => ({
  from,
  below: from.given === 1 ? firstOf(from.major + 1, 0, 0) : firstOf(from.major, from.minor + 1, 0),
});

/** `^1.2.3`: from it on, as long as the first number that is not 0 stays; npm's rule, section "Caret Ranges". */
const caret = (from: Version): Range => {
  const { major, minor, patch, given } = from;
  if (major > 0 || given === 1) return { from, below: firstOf(major + 1, 0, 0) };
  if (minor > 0 || given === 2) return { from, below: firstOf(0, minor + 1, 0) };
  return { from, below: firstOf(0, 0, patch + 1) };
};

export const semverTilde = testing(tilde, isWithin);
export const semverCaret = testing(caret, isWithin);
