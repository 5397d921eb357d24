import { type Variant } from '../flag/configuration.js';
import { type ExistingFlag } from '../flag/flag.js';
import { sameJson } from '../json.js';
import { setDifference } from '../targeting/key-lists.js';
import { type Change, listed, step, valueChange } from './change.js';

const statusText = (before: ExistingFlag, after: ExistingFlag): string => {
  if (after.status === 'deleted') return 'deleted';
  if (before.status === 'deleted') return `restored as ${after.status}`;
  return after.status === 'archived' ? 'archived' : 'taken out of the archive';
};

const statusOf = (flag: ExistingFlag): string =>
  flag.status === 'deleted' ? `deleted, was ${flag.statusBefore}` : flag.status;

/** At most one change: archived, deleted, restored… */
export const statusChanges = (before: ExistingFlag, after: ExistingFlag): readonly Change[] =>
  statusOf(before) === statusOf(after)
    ? []
    : [
        {
          path: '/status',
          before: before.status,
          after: after.status,
          text: statusText(before, after),
        },
      ];

/** Tags that came and went. */
export const tagChanges = (
  before: readonly string[],
  after: readonly string[],
): readonly Change[] => {
  const { removed, added } = setDifference(before, after);
  if (removed.length + added.length > 0) {
    return [
      ...removed.map((tag) => ({ path: '/tags', before: [tag], text: `tag "${tag}" removed` })),
      ...added.map((tag) => ({ path: '/tags', after: [tag], text: `tag "${tag}" added` })),
    ];
  }
  if (sameJson(before, after)) return [];
  return [{ path: '/tags', before, after, text: `tags put in another order: ${listed(after)}` }];
};

const variantDifferences = (before: Variant, after: Variant): readonly Change[] => {
  const { name } = after;
  const [old, current] = [before.description ?? '', after.description ?? ''];
  return [
    ...valueChange(
      `/variants/${step(name)}/value`,
      `value of variant "${name}"`,
      before.value,
      after.value,
    ),
    ...valueChange(
      `/variants/${step(name)}/description`,
      `description of variant "${name}"`,
      old,
      current,
    ),
  ];
};

const variantAdded = ({ name, value }: Variant): Change => ({
  path: `/variants/${step(name)}`,
  after: value,
  text: `variant "${name}" added, with the value ${JSON.stringify(value)}`,
});

const variantRemoved = ({ name, value }: Variant): Change => ({
  path: `/variants/${step(name)}`,
  before: value,
  text: `variant "${name}" removed`,
});

/** Variants that came, went, or have another value, description or place. */
export const variantsChanges = (
  before: readonly Variant[],
  after: readonly Variant[],
): readonly Change[] => {
  const named = (variants: readonly Variant[], name: string) =>
    variants.find((variant) => variant.name === name);
  const changes = [
    ...before.filter(({ name }) => named(after, name) === undefined).map(variantRemoved),
    ...after.flatMap((variant) => {
      const old = named(before, variant.name);
      return old === undefined ? [variantAdded(variant)] : variantDifferences(old, variant);
    }),
  ];
  const oldOrder = before.map(({ name }) => name);
  const order = after.map(({ name }) => name);
  if (changes.length > 0 || sameJson(oldOrder, order)) return changes;
  return [
    {
      path: '/variants',
      before: oldOrder,
      after: order,
      text: `variants put in another order: ${listed(order)}`,
    },
  ];
};
