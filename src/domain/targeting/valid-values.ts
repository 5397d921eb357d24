import { DomainError } from '../decider.js';
import { type AttributeClause, type ClauseValue } from './clause.js';
import { instantOf } from './instant.js';
import { networkOf } from './network.js';
import { type OperandKind, OPERANDS } from './operands.js';
import { type RegexCompiler } from './regex-compiler.js';
import { versionOf } from './version.js';

export const VALUE_LIMITS = {
  /** Values of one clause. */
  values: 1_000,
  /** Characters of a text. */
  text: 1_024,
  /** Characters of a regular expression. */
  pattern: 512,
} as const;

type Check = Readonly<{ isMet: (value: ClauseValue) => boolean; wanted: string }>;

const isText = (value: ClauseValue): value is string =>
  typeof value === 'string' && value.length <= VALUE_LIMITS.text;

const CHECKS: Readonly<Record<Exclude<OperandKind, 'none'>, Check>> = {
  scalar: {
    isMet: (value) => typeof value !== 'string' || isText(value),
    wanted: `a text of at most ${VALUE_LIMITS.text} characters, a number, true or false`,
  },
  text: {
    isMet: (value) => isText(value) && value !== '',
    wanted: `a text of 1 to ${VALUE_LIMITS.text} characters`,
  },
  pattern: {
    isMet: (value) =>
      typeof value === 'string' && value !== '' && value.length <= VALUE_LIMITS.pattern,
    wanted: `a regular expression of 1 to ${VALUE_LIMITS.pattern} characters`,
  },
  number: { isMet: Number.isFinite, wanted: 'a number, such as 18 or 2.5' },
  instant: {
    isMet: (value) => !Number.isNaN(instantOf(value)),
    wanted: 'a time as in 2026-03-01T12:00:00Z, or whole milliseconds since 1970',
  },
  version: {
    isMet: (value) => typeof value === 'string' && versionOf(value) !== undefined,
    wanted: 'a semantic version such as "1.4.0", "v2" or "2.0.0-rc.1"',
  },
  network: {
    isMet: (value) => typeof value === 'string' && networkOf(value) !== undefined,
    wanted: 'an address or network such as "10.0.0.0/8" or "2001:db8::/32"',
  },
  size: {
    isMet: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
    wanted: 'a number of elements: 0, 1, 2 …',
  },
};

const invalid = (where: string, what: string): DomainError =>
  new DomainError('invalid-clause', `${where}: ${what}`);

const requireCount = ({ operator, values }: AttributeClause, where: string): void => {
  const { kind, areMany } = OPERANDS[operator];
  const least = kind === 'none' ? 0 : 1;
  const most = kind === 'none' ? 0 : areMany ? VALUE_LIMITS.values : 1;
  if (values.length >= least && values.length <= most) return;
  const wanted = least === most ? (most === 0 ? 'no values' : 'one value') : `1 to ${most} values`;
  throw invalid(`${where}.values`, `"${operator}" takes ${wanted}, not ${values.length}.`);
};

/** @throws DomainError `invalid-regex` */
const requirePattern = (
  pattern: string,
  ignoreCase: boolean,
  { where, compileRegex }: Readonly<{ where: string; compileRegex: RegexCompiler }>,
): void => {
  try {
    compileRegex(pattern, { ignoreCase });
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    throw new DomainError('invalid-regex', `${where}: ${error.message}`);
  }
};

/**
 * Checks how many values a clause has, and that its operator can read each.
 * @throws DomainError `invalid-clause`, `invalid-regex`
 */
export const requireValidValues = (
  clause: AttributeClause,
  where: string,
  compileRegex: RegexCompiler,
): void => {
  const { operator, values, ignoreCase } = clause;
  const { kind } = OPERANDS[operator];
  requireCount(clause, where);
  if (kind === 'none') return;
  const { isMet, wanted } = CHECKS[kind];
  for (const [index, value] of values.entries()) {
    const place = `${where}.values[${index}]`;
    if (!isMet(value)) throw invalid(place, `"${operator}" takes ${wanted}.`);
    if (kind === 'pattern')
      requirePattern(String(value), ignoreCase === true, { where: place, compileRegex });
  }
};
