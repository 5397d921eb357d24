import { type ExistingFlag } from '../../domain/flag/flag.js';
import { type ExistingProject } from '../../domain/project/project.js';

type Kind = 'string' | 'object' | 'array';

const kindOf = (value: unknown): string => (Array.isArray(value) ? 'array' : typeof value);

const check = (state: object, shape: Readonly<Record<string, Kind>>): void => {
  const members = new Map<string, unknown>(Object.entries(state));
  for (const [name, kind] of Object.entries(shape)) {
    const value = members.get(name);
    if (value === null || kindOf(value) !== kind)
      throw new Error(`After it, '${name}' is not of kind ${kind}.`);
  }
};

/**
 * Folding trusts history; readers of what it makes trust these members. So a stored event that breaks them stops the
 * projections instead. @throws Error
 */
export const checkProject = (state: ExistingProject): void => {
  check(state, { name: 'string', environments: 'array' });
};

/** @throws Error */
export const checkFlag = (state: ExistingFlag): void => {
  check(state, {
    ...{ name: 'string', description: 'string', type: 'string', salt: 'string' },
    ...{ tags: 'array', variants: 'array', defaults: 'object', environments: 'object' },
  });
};
