import { DomainError } from '../../domain/decider.js';
import {
  circleThrough,
  longestThrough,
  MAX_STEPS,
  type Node,
  nodeId,
  nodeText,
  type Reference,
} from '../../domain/references.js';
import { type LoadedNode, type LoadedNodes, referencesOf } from './loaded-nodes.js';
import { type Reservation, type Reservations } from './reservations.js';

/** Nodes that a refusal names. */
const MAX_NAMED = 20;

const REMEDY = 'should that stay so, repeat the change, or change anything else about it';
const UNFINISHED = `a change of it was begun and is not finished; ${REMEDY}`;

/** What to do with a node before others can refer to it. */
const REMEDIES = { absent: 'make', archived: 'unarchive', deleted: 'restore' } as const;

/** Why others cannot refer to it; undefined when they can. */
const whyMissing = ({ node, state: { status }, pending }: LoadedNode): string | undefined => {
  const name = nodeText(node);
  if (status !== 'active')
    return `${REMEDIES[status]} ${name}, which ${status === 'absent' ? 'never was' : `is ${status}`}`;
  return pending.some(({ removes }) => removes) ? `${name} may be going: ${UNFINISHED}` : undefined;
};

/** That all of them are there. @throws DomainError `unknown-segment`, `unknown-flag`, naming all that are not */
const requireThere = (all: readonly LoadedNode[]): void => {
  const missing = all.filter((loaded) => whyMissing(loaded) !== undefined);
  const [first] = missing;
  if (first === undefined) return;
  const named = missing.slice(0, MAX_NAMED).map(whyMissing).join('; ');
  const more = missing.length > MAX_NAMED ? '; and more' : '';
  const detail = `What it refers to is not there. First ${named}${more}.`;
  throw first.node.kind === 'segment'
    ? new DomainError('unknown-segment', detail)
    : new DomainError('unknown-flag', detail);
};

const requireVariantsOf = (
  { node, state, pending }: LoadedNode,
  { variants = [] }: Reference,
): void => {
  const leaving = pending.flatMap(({ removedVariants = [] }) => removedVariants);
  for (const variant of variants) {
    if (state.variants.includes(variant) && !leaving.includes(variant)) continue;
    throw new DomainError(
      'unknown-variant',
      `${nodeText(node)} has no variant '${variant}'${leaving.includes(variant) ? `: ${UNFINISHED}` : ''}.`,
    );
  }
};

/** @throws DomainError `reference-cycle`, `references-too-deep` */
const requireChain = ({ graph }: LoadedNodes, node: Node): void => {
  const circle = circleThrough(graph, node);
  if (circle !== undefined) {
    const path = [node, ...circle].map(nodeText).join(' → ');
    throw new DomainError('reference-cycle', `The references would form a cycle: ${path}.`);
  }
  const steps = longestThrough(graph, node);
  if (steps > MAX_STEPS) {
    throw new DomainError(
      'references-too-deep',
      `A chain of ${steps} references would go through ${nodeText(node)}; at most ${MAX_STEPS} are allowed.`,
    );
  }
};

/**
 * That all a node will refer to is there, and makes no circle and no chain that is too long.
 * @throws DomainError
 */
export const requireReferable = async (
  nodes: LoadedNodes,
  book: Reservations,
  { node, requires }: Reservation,
): Promise<void> => {
  const others = requires.filter((reference) => nodeId(reference) !== nodeId(node));
  const found = await nodes.ensure(others);
  requireThere([...new Map(found.map((loaded) => [nodeId(loaded.node), loaded])).values()]);
  for (const reference of others) {
    const target = found.find((loaded) => nodeId(loaded.node) === nodeId(reference));
    if (target !== undefined) requireVariantsOf(target, reference);
  }
  if (!requires.some(({ kind }) => kind === node.kind)) return;
  const ofKind = (list: readonly Node[]) => list.filter(({ kind }) => kind === node.kind);
  await nodes.reach(ofKind(requires), (loaded) => ofKind(referencesOf(loaded)));
  await nodes.reach(ofKind(book.everDependants(node)), (loaded) =>
    ofKind(book.everDependants(loaded.node)),
  );
  requireChain(nodes, node);
};

type Use = Readonly<{ user: Node; reference: Reference; isPending: boolean }>;

const usesBy = ({ node: user, state, pending }: LoadedNode, used: Node): readonly Use[] => {
  const uses = (references: readonly Reference[], isPending: boolean): readonly Use[] =>
    references
      .filter((reference) => nodeId(reference) === nodeId(used))
      .map((reference) => ({ user, reference, isPending }));
  return [
    ...uses(state.references, false),
    ...uses(
      pending.flatMap(({ requires }) => requires),
      true,
    ),
  ];
};

/** `flag 'a' (production, staging) and segment 'b'`, with what to do about unfinished changes. */
const usersText = (uses: readonly Use[]): string => {
  const users = new Map<string, readonly Use[]>();
  for (const use of uses)
    users.set(nodeText(use.user), [...(users.get(nodeText(use.user)) ?? []), use]);
  const named = [...users].slice(0, MAX_NAMED).map(([name, ofUser]) => {
    const places = new Set(ofUser.flatMap(({ reference }) => reference.environment ?? []));
    const where = places.size === 0 ? '' : ` (${[...places].join(', ')})`;
    const isPending = ofUser.every((use) => use.isPending);
    return `${name}${where}${isPending ? ` by an unfinished change: ${REMEDY}` : ''}`;
  });
  const more = users.size > MAX_NAMED ? ' and more' : '';
  return `${named.join(', ')}${more}`;
};

const inUse = ({ kind, key }: Node, users: string): DomainError =>
  kind === 'segment'
    ? new DomainError(
        'segment-in-use',
        `Segment '${key}' is used by ${users}; take it out there first.`,
      )
    : new DomainError(
        'flag-in-use',
        `Flag '${key}' is a prerequisite of ${users}; take it out there first.`,
      );

/** Looked up a few at a time, until there are more of them than a refusal names. */
const findUses = async (
  nodes: LoadedNodes,
  candidates: readonly Node[],
  usesOf: (loaded: LoadedNode) => readonly Use[],
): Promise<readonly Use[]> => {
  const found: (readonly Use[])[] = [];
  for (let next = 0; next < candidates.length; next += MAX_NAMED) {
    const loaded = await nodes.ensure(candidates.slice(next, next + MAX_NAMED));
    found.push(...loaded.map(usesOf).filter((uses) => uses.length > 0));
    if (found.length > MAX_NAMED) break;
  }
  return found.flat();
};

/**
 * That nobody refers to what goes: the node itself, or variants of it.
 * @throws DomainError `segment-in-use`, `flag-in-use`, `variant-in-use`
 */
export const requireUnused = async (
  nodes: LoadedNodes,
  book: Reservations,
  { node, removes, removedVariants = [] }: Reservation,
): Promise<void> => {
  if (!removes && removedVariants.length === 0) return;
  const uses = await findUses(nodes, book.everDependants(node), (loaded) =>
    usesBy(loaded, node).filter(
      ({ reference: { variants = [] } }) =>
        removes === true || variants.some((variant) => removedVariants.includes(variant)),
    ),
  );
  if (removes && uses.length > 0) throw inUse(node, usersText(uses));
  for (const variant of removedVariants) {
    const users = uses.filter(({ reference }) => reference.variants?.includes(variant));
    if (users.length > 0) {
      throw new DomainError(
        'variant-in-use',
        `Variant '${variant}' is what a prerequisite of ${usersText(users)} wants; change that first.`,
      );
    }
  }
};
