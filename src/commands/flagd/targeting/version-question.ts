import { type Json } from '../../../domain/json.js';
import {
  type AttributeClause,
  type ClauseValue,
  type Operator,
} from '../../../domain/targeting/clause.js';

export const clause = (
  attribute: string,
  operator: Operator,
  ...values: readonly ClauseValue[]
): readonly AttributeClause[] => [{ attribute, operator, values }];

const VERSION = /^(\d+)\.(\d+)\.\d+(-[0-9A-Za-z.-]+)?$/;

const VERSION_ORDER: Readonly<Record<string, Operator>> = {
  '=': 'semverEquals',
  '<': 'semverLessThan',
  '<=': 'semverLessThanOrEqual',
  '>': 'semverGreaterThan',
  '>=': 'semverGreaterThanOrEqual',
};

/** flagd's `~` and `^` compare leading numbers: from the first pre-release there is to that of the next. */
const versionRange = (attribute: string, from: string, to: string) => [
  ...clause(attribute, 'semverGreaterThanOrEqual', from),
  ...clause(attribute, 'semverLessThan', to),
];

const ordered = (attribute: string, operator: string, version: string) => {
  if (operator === '!=') {
    const equals = clause(attribute, 'semverEquals', version);
    return equals.map((one) => ({ ...one, negate: true as const }));
  }
  const ours = VERSION_ORDER[operator];
  return ours === undefined ? undefined : clause(attribute, ours, version);
};

/** `[version, operator, version]` with a constant on the right. */
export const onVersion = (
  attribute: string,
  operator: Json,
  value: Json,
): readonly AttributeClause[] | undefined => {
  const [version, major, minor] = (typeof value === 'string' ? VERSION.exec(value) : null) ?? [];
  if (version === undefined || typeof operator !== 'string') return undefined;
  if (operator === '^') {
    return versionRange(attribute, `${major}.0.0-0`, `${Number(major) + 1}.0.0-0`);
  }
  return operator === '~'
    ? versionRange(attribute, `${major}.${minor}.0-0`, `${major}.${Number(minor) + 1}.0-0`)
    : ordered(attribute, operator, version);
};
