import { type Json } from '../json.js';
import { type AttributeClause, type Clause, NOW, type SimpleClause } from '../targeting/clause.js';
import { instantOf } from '../targeting/instant.js';
import {
  all,
  any,
  cannotExpress,
  ELEMENT_TESTS,
  type ElementTest,
  isNull,
  isPresent,
  not,
  type Test,
  variable,
  versionTest,
} from './expressions.js';

/** Whether somebody is in a segment; undefined for one that there is not, of which nobody knows. @throws Inexpressible */
export type Membership = (segmentKey: string) => Json | undefined;

const ELEMENT: Json = { var: '' };

/** A list is asked element by element, a single value as a list of one: positive operators mean any element. */
const anyElement = (clause: AttributeClause, test: ElementTest): Test => {
  const value = variable(clause.attribute);
  if (clause.attribute === 'targetingKey') return test(value, clause);
  const { isTrue, isFalse } = test(ELEMENT, clause);
  const elements: Json = { merge: [value] };
  return {
    isTrue: { some: [elements, isTrue] },
    isFalse: { none: [elements, not(isFalse)] },
  };
};

/** flagd's clock counts whole seconds. */
const timeTest = ({ operator, values }: AttributeClause): Test => {
  const isAfter = operator === 'after' || operator === 'afterOrAt';
  if (!isAfter && operator !== 'before' && operator !== 'beforeOrAt') {
    return cannotExpress(`"${operator}" cannot be asked of the time`);
  }
  const holds = values.map((value): Json => {
    const seconds = Math.ceil(instantOf(value) / 1000);
    if (Number.isNaN(seconds)) return cannotExpress(`"${value}" is no instant`);
    return { [isAfter ? '>=' : '<']: [{ var: '$flagd.timestamp' }, seconds] };
  });
  return { isTrue: any(holds), isFalse: not(any(holds)) };
};

const presence = (clause: AttributeClause): Test => {
  const value = variable(clause.attribute);
  const [present, absent] = [isPresent(value), isNull(value)];
  return clause.operator === 'exists'
    ? { isTrue: present, isFalse: absent }
    : { isTrue: absent, isFalse: present };
};

const hasOnlyAscii = ({ values }: AttributeClause): boolean =>
  values.every((value) => /^[\0-\x7f]*$/.test(String(value)));

const plainTest = (clause: AttributeClause): Test => {
  const { attribute, operator, values } = clause;
  const test = ELEMENT_TESTS.get(operator);
  if (test !== undefined) {
    // Providers count the length of a text in bytes, in UTF-16 units or in characters.
    const isCounted = operator === 'startsWith' || operator === 'endsWith';
    if (isCounted && !hasOnlyAscii(clause)) cannotExpress(`"${operator}" beyond ASCII`);
    return anyElement(clause, test);
  }
  return (
    versionTest(variable(attribute), operator, values) ??
    cannotExpress(`the operator "${operator}" has no counterpart in flagd`)
  );
};

const attributeTest = (clause: AttributeClause): Test => {
  if (clause.ignoreCase) return cannotExpress('flagd has no comparison that ignores case');
  if (clause.attribute === NOW) return timeTest(clause);
  const { operator } = clause;
  return operator === 'exists' || operator === 'notExists' ? presence(clause) : plainTest(clause);
};

const segmentTest = (keys: readonly string[], membership: Membership): Test => {
  const members = keys.map(membership);
  const known = members.filter((member) => member !== undefined);
  return {
    isTrue: any(known),
    isFalse: known.length < members.length ? false : all(known.map(not)),
  };
};

const simpleTest = (clause: SimpleClause, membership: Membership): Test => {
  const test =
    'segments' in clause ? segmentTest(clause.segments, membership) : attributeTest(clause);
  return clause.negate ? { isTrue: test.isFalse, isFalse: test.isTrue } : test;
};

const whenTrue = (clause: Clause, membership: Membership): Json =>
  'anyOf' in clause
    ? any(clause.anyOf.map((one) => simpleTest(one, membership).isTrue))
    : simpleTest(clause, membership).isTrue;

/** True for exactly those for whom all clauses are true; unknown counts as not true. @throws Inexpressible */
export const areTrue = (clauses: readonly Clause[], membership: Membership): Json =>
  all(clauses.map((clause) => whenTrue(clause, membership)));
