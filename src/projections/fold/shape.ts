import { type ExistingOrganization } from '../../domain/organization.js';

type Kind = 'string' | 'object' | 'array';
type Shape = readonly (readonly [name: string, kind: Kind])[];

const kindOf = (value: unknown): string => (Array.isArray(value) ? 'array' : typeof value);

const check = (state: object, shape: Shape): void => {
  const members: Readonly<Record<string, unknown>> = { ...state };
  for (const [name, kind] of shape) {
    const value = members[name];
    if (value === null || kindOf(value) !== kind)
      throw new Error(`After it, '${name}' is not of kind ${kind}.`);
  }
};

export const PROJECT: Shape = [
  ['name', 'string'],
  ['environments', 'array'],
];

export const FLAG: Shape = [
  ['name', 'string'],
  ['description', 'string'],
  ['type', 'string'],
  ['salt', 'string'],
  ['tags', 'array'],
  ['variants', 'array'],
  ['defaults', 'object'],
  ['environments', 'object'],
];

export const SEGMENT: Shape = [
  ['name', 'string'],
  ['description', 'string'],
  ['tags', 'array'],
  ['included', 'array'],
  ['excluded', 'array'],
  ['rules', 'array'],
];

const ORGANIZATION: Shape = [
  ['name', 'string'],
  ['members', 'array'],
  ['invitations', 'array'],
];

const MEMBER: Shape = [
  ['userId', 'string'],
  ['email', 'string'],
  ['role', 'string'],
  ['projects', 'object'],
];

const INVITATION: Shape = [
  ['invitationId', 'string'],
  ['email', 'string'],
  ['role', 'string'],
  ['projects', 'object'],
  ['expiresAt', 'string'],
];

/**
 * Folding trusts history; readers of what it makes trust these members. So a stored event that breaks them stops the
 * projections instead. @throws Error
 */
export const requireShape =
  (shape: Shape) =>
  (state: object): void => {
    check(state, shape);
  };

/** @throws Error */
export const checkOrganization = (state: ExistingOrganization): void => {
  check(state, ORGANIZATION);
  for (const member of state.members) check(member, MEMBER);
  for (const invitation of state.invitations) check(invitation, INVITATION);
};
