import {
  type Configuration,
  type RuleServe,
  type Serve,
  type Split,
  SPLIT_TOTAL,
} from '../flag/configuration.js';

const shareText = (weight: number, total: number): string => {
  const percent = `${Number(((weight * 100) / total).toFixed(3))} %`;
  // Imported totals do not fall on whole 0.001 % steps: the exact weight tells such shares apart.
  return total === SPLIT_TOTAL ? percent : `${percent} (${weight} of ${total})`;
};

const splitText = ({ weights, total, bucketBy, salt }: Split): string => {
  const shares = weights.map(({ variant, weight }) => `${variant} ${shareText(weight, total)}`);
  const by = bucketBy === 'targetingKey' ? '' : ` by "${bucketBy}"`;
  return `${shares.join(' / ')}${by}${salt === undefined ? '' : ` with salt "${salt}"`}`;
};

/** `"on"`, or `none` with what a caller gets then. */
export const variantText = (variant: string | null): string =>
  variant === null ? "none (the caller's own default)" : JSON.stringify(variant);

/** `variant "on"`, `no variant (…)` or `on 25 % / off 75 %`. */
export const serveText = (serve: Serve): string => {
  if ('split' in serve) return splitText(serve.split);
  return serve.variant === null
    ? "no variant (the caller's own default)"
    : `variant ${variantText(serve.variant)}`;
};

/** As `serveText`, or that an expression says it. */
export const ruleServeText = (serve: RuleServe): string =>
  'logic' in serve ? 'the variant that its JSONLogic names' : serveText(serve);

const counted = (count: number, noun: string): string => {
  if (count === 0) return '';
  return `, ${count} ${noun}${count === 1 ? '' : 's'}`;
};

/** A whole configuration in one line. */
export const configurationText = (configuration: Configuration): string => {
  const { enabled, offVariant, fallthrough, targets } = configuration;
  const { rules = [], prerequisites = [] } = configuration;
  const targeted = targets.map(
    ({ variant, keys }) => `, ${keys.length} targeted to ${JSON.stringify(variant)}`,
  );
  const state = enabled ? 'enabled' : 'disabled';
  const more = `${counted(rules.length, 'rule')}${counted(prerequisites.length, 'prerequisite')}`;
  return `${state}, serves ${serveText(fallthrough)}, off variant ${variantText(offVariant)}${targeted.join('')}${more}`;
};
