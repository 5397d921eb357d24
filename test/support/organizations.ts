import { randomUUID } from 'node:crypto';
import { type ProjectRoles, type Role } from '../../src/domain/access/role.js';
import { type InvitationInbox } from './invitation-inbox.js';
import { type Answer, type HttpClient } from './http-client.js';

/** Somebody who has an account. */
export type Person = Readonly<{
  organizationId: string;
  userId: string;
  email: string;
  password: string;
}>;

type Joined = Readonly<{ organizationId: string; userId: string; position: number }>;

export const PASSWORD = 'seven green bottles standing';

const newEmail = (): string => `${randomUUID()}@example.com`;

const succeeded = <Body>(answer: Answer<Body>, what: string): Body => {
  if (answer.status === 201) return answer.body;
  throw new Error(`${what}: ${answer.status} ${answer.text}`);
};

/** Registers an organization. @returns its first owner */
export const registerOrganization = async (
  service: Pick<HttpClient, 'post'>,
  { name = 'Acme', email = newEmail() }: Readonly<{ name?: string; email?: string }> = {},
): Promise<Person> => {
  const body = { name, owner: { email, password: PASSWORD } };
  const answer = await service.post<Joined>('/organizations', { body, credential: null });
  const { organizationId, userId } = succeeded(answer, 'registering');
  return { organizationId, userId, email, password: PASSWORD };
};

type Terms = Readonly<{ role: Role; projects?: ProjectRoles; email?: string }>;
type Inviting = Pick<HttpClient, 'post'> & Readonly<{ inbox: InvitationInbox }>;

/** Invites somebody, with the credential of whoever manages members. @returns the token */
export const invite = async (
  service: Inviting,
  credential: string,
  { email = newEmail(), ...terms }: Terms,
): Promise<Readonly<{ invitationId: string; email: string; token: string }>> => {
  const body = { email, ...terms };
  const answer = await service.post<{ invitationId: string }>('/invitations', { body, credential });
  const { invitationId } = succeeded(answer, 'inviting');
  const { token } = await service.inbox.invitation(invitationId);
  return { invitationId, email, token };
};

/** Invites somebody who accepts. */
export const addMember = async (
  service: Inviting,
  credential: string,
  terms: Terms,
): Promise<Person> => {
  const { token, email } = await invite(service, credential, terms);
  const body = { token, password: PASSWORD };
  const answer = await service.post<Joined>('/invitations/accept', { body, credential: null });
  const { organizationId, userId } = succeeded(answer, 'accepting');
  return { organizationId, userId, email, password: PASSWORD };
};
