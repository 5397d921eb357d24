import { type Json } from '../../json.js';
import { attributeOf, type Context } from '../context.js';
import { spend, spendOnText } from '../work.js';
import {
  fail,
  type Operands,
  type Operator,
  requireList,
  type Term,
  textFrom,
  valuesOf,
} from './term.js';

/** The names of a path: joined by dots; a backslash makes a dot, a slash or a backslash part of a name. */
const namesOf = (path: string): readonly string[] => {
  const names: string[] = [];
  let name = '';
  for (const [part] of path.matchAll(/\\[./\\]|[^]/gu)) {
    if (part === '.') {
      names.push(name);
      name = '';
    } else name += part.length === 2 && part.startsWith('\\') ? part.slice(1) : part;
  }
  return [...names, name];
};

/** What a value has of its own under a name, never what it inherits. Texts have a length and their characters. */
const memberOf = (value: unknown, name: string): unknown => {
  if (value === null || value === undefined) return undefined;
  const holder = Object(value) as Readonly<Record<string, unknown>>;
  return Object.hasOwn(holder, name) ? holder[name] : undefined;
};

type Read = (context: Context, item: unknown) => unknown;

/** Unix time in seconds, as flagd gives it. */
const secondsOf = ({ nowMs }: Context): number => Math.floor(nowMs / 1000);

const flagdFacts = (context: Context, flagKey: string) => ({
  flagKey,
  timestamp: secondsOf(context),
});

/** The context as flagd's rules see it. */
const wholeContext = (context: Context, flagKey: string) => {
  spend(Object.keys(context.attributes).length);
  return {
    ...context.attributes,
    ...(context.targetingKey === undefined ? {} : { targetingKey: context.targetingKey }),
    $flagd: flagdFacts(context, flagKey),
  };
};

/** What an expression does with a text or a list costs as much as it is long. */
const paid = (value: unknown): unknown => {
  if (typeof value === 'string') spendOnText(value.length);
  else if (Array.isArray(value)) spend(value.length >> 1);
  return value;
};

const rootReader = (name: string, flagKey: string): Read =>
  name === '$flagd'
    ? (context) => flagdFacts(context, flagKey)
    : (context) => attributeOf(context, name);

const elementReader =
  (name: string): Read =>
  (_, item) =>
    memberOf(item, name);

const whole = ({ flagKey, isInner }: Operands): Read =>
  isInner ? (_, item) => item : (context) => wholeContext(context, flagKey);

const descend =
  (read: Read, name: string): Read =>
  (context, item) =>
    memberOf(read(context, item), name);

const readerOf = (path: string, operands: Operands): Read => {
  if (path === '') return whole(operands);
  const { flagKey, isInner } = operands;
  const [first = '', ...names] = namesOf(path);
  return names.reduce(descend, isInner ? elementReader(first) : rootReader(first, flagKey));
};

const pathOf = (name: Json | undefined, refuse: Operands['refuse']): string => {
  if (name === undefined || name === null) return '';
  if (typeof name !== 'string' && typeof name !== 'number') return refuse('must name an attribute');
  const path = String(name);
  return path.startsWith('../') ? refuse('cannot read outside of its list') : path;
};

/** `"path"`, or `["path", default]`. An attribute that is absent is the default, or null. */
export const variable: Operator = (operands) => {
  if (operands.list.length > 2) operands.refuse('takes a path and a default');
  operands.readsContext();
  const read = readerOf(pathOf(operands.list[0], operands.refuse), operands);
  if (operands.list.length < 2) return (context, item) => paid(read(context, item)) ?? null;
  const initial = operands.term(1);
  return (context, item) => {
    const value = paid(read(context, item));
    return value === undefined ? initial(context, item) : value;
  };
};

const missingFrom = (operands: Operands) => {
  operands.readsContext();
  return (names: readonly unknown[], context: Context, item: unknown): readonly unknown[] =>
    names.filter((name) => {
      const path = textFrom(name);
      spend(20 + path.length);
      return readerOf(path, operands)(context, item) === undefined;
    });
};

/** The names, of those given, of attributes that are absent. */
export const missing: Operator = (operands) => {
  const [values, absent] = [valuesOf(operands), missingFrom(operands)];
  return (context, item) => absent(values(context, item), context, item);
};

/** `[needed, names]`: nothing when that many are there, else the names of those that are absent. */
export const missingSome: Operator = (operands) => {
  requireList(operands, 2, 2);
  const [needed, names]: Term[] = [operands.term(0), operands.term(1)];
  const absent = missingFrom(operands);
  return (context, item) => {
    const [least, options] = [needed?.(context, item), names?.(context, item)];
    if (typeof least !== 'number' || !Array.isArray(options)) return fail();
    const lacking = absent(options, context, item);
    return options.length - lacking.length >= least ? [] : lacking;
  };
};
