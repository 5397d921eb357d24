import { type ApiKey } from '../api-key.js';
import { type Json, sameJson } from '../json.js';
import { type ExistingOrganization, type Invitation, type Member } from '../organization.js';
import { type Change, step, valueChange } from './change.js';

type Existing = Exclude<ApiKey, { status: 'absent' }>;

const statusChanges = (before: Existing | undefined, after: Existing): readonly Change[] => {
  if (before?.status === after.status) return [];
  const text = before === undefined ? `issued as "${after.name}"` : after.status;
  const was = before === undefined ? {} : { before: before.status };
  return [{ path: '/status', ...was, after: after.status, text }];
};

const rotations = (
  { overlapUntil: before }: Partial<Existing>,
  { overlapUntil: after }: Existing,
): readonly Change[] =>
  after === undefined || before === after
    ? []
    : [
        {
          path: '/overlapUntil',
          ...(before !== undefined && { before }),
          after,
          text: `a new secret; the one before counts until ${after}`,
        },
      ];

/** From one state of a key to another; `undefined` is a key that does not exist. Empty when both are equal. */
export const apiKeyChangesBetween = (
  before: Existing | undefined,
  after: Existing | undefined,
): readonly Change[] =>
  after === undefined ? [] : [...statusChanges(before, after), ...rotations(before ?? {}, after)];

type Part = Member | Invitation;

/** What is told of a member or invitation: never an e-mail address. */
const told = ({ role, projects }: Part): Json => ({ role, projects });

/** What never changes while it is the same member or invitation. */
const fixed = ({ role: _, projects: __, ...rest }: Part): Json => rest;

type Words = Readonly<{ came: string; went: string }>;

const partChanges = (
  path: string,
  [before, after]: readonly [Part | undefined, Part | undefined],
  { came, went }: Words,
): readonly Change[] => {
  const label = step(path.split('/').at(-1) ?? '');
  if (before === undefined)
    return after === undefined
      ? []
      : [{ path, after: told(after), text: `${label}: ${came} as ${after.role}` }];
  if (after === undefined) return [{ path, before: told(before), text: `${label}: ${went}` }];
  return [
    ...valueChange(`${path}/role`, `${label}: role`, before.role, after.role),
    ...valueChange(
      `${path}/projects`,
      `${label}: roles in projects`,
      before.projects,
      after.projects,
    ),
    ...(sameJson(fixed(before), fixed(after)) ? [] : [{ path, text: `${label}: another person` }]),
  ];
};

const byId = <T>(items: readonly T[], idOf: (item: T) => string): ReadonlyMap<string, T> =>
  new Map(items.map((item) => [idOf(item), item]));

const allChanges = <T extends Member | Invitation>(
  path: string,
  [before, after]: readonly [ReadonlyMap<string, T>, ReadonlyMap<string, T>],
  words: Words,
): readonly Change[] =>
  [...new Set([...before.keys(), ...after.keys()])].flatMap((id) =>
    partChanges(`${path}/${id}`, [before.get(id), after.get(id)], words),
  );

const MEMBERS: Words = { came: 'member', went: 'no member any more' };
const INVITATIONS: Words = { came: 'invited', went: 'not invited any more' };

const NOTHING: ExistingOrganization = { status: 'active', name: '', members: [], invitations: [] };

/** From one state of an organization to another; `undefined` is one that does not exist. Empty when both are equal. */
export const organizationChangesBetween = (
  before: ExistingOrganization | undefined,
  after: ExistingOrganization | undefined,
): readonly Change[] => {
  if (after === undefined)
    return before === undefined
      ? []
      : [{ path: '/status', before: before.status, text: 'did not exist' }];
  const old = before ?? NOTHING;
  const userOf = ({ userId }: Member): string => userId;
  const invitationOf = ({ invitationId }: Invitation): string => invitationId;
  return [
    ...(before === undefined
      ? [{ path: '/status', after: after.status, text: `registered as "${after.name}"` }]
      : valueChange('/name', 'name', before.name, after.name)),
    ...allChanges('/members', [byId(old.members, userOf), byId(after.members, userOf)], MEMBERS),
    ...allChanges(
      '/invitations',
      [byId(old.invitations, invitationOf), byId(after.invitations, invitationOf)],
      INVITATIONS,
    ),
  ];
};
