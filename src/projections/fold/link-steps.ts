import { CHAIN_START, type Link, linkAfter } from '../../domain/audit/chain.js';
import { type Step } from './fold.js';

/** A step and the link that its event adds to the hash chain of its organization. */
export type LinkedStep = Step & Readonly<{ link: Link }>;

/** Continues the chains of the steps' organizations from their heads; one without a head begins. Pure. */
export const linkSteps = (
  steps: readonly Step[],
  headOf: (organizationId: string) => Link | undefined,
): readonly LinkedStep[] => {
  const heads = new Map<string, Link>();
  return steps.map((step) => {
    const { organizationId } = step.parts;
    const head = heads.get(organizationId) ?? headOf(organizationId) ?? CHAIN_START;
    const stored = { ...step.event, recordedAt: step.storedAt };
    const link = linkAfter(head, organizationId, stored);
    heads.set(organizationId, link);
    return { ...step, link };
  });
};
