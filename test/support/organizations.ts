import { randomUUID } from 'node:crypto';
import { type ProjectRoles, type Role } from '../../src/domain/access/permission.js';
import { type HttpClient } from './http-client.js';
import { type InvitationInbox } from './invitation-inbox.js';
import { logIn, PASSWORD } from './people.js';

/** Somebody who has logged in; `credential` is their access token. */
export type Person = Readonly<{
  organizationId: string;
  userId: string;
  email: string;
  credential: string;
  sessionId: string;
}>;

type Posting = Pick<HttpClient, 'post'>;

/** Registers an organization. @returns its first owner */
export const registerOrganization = async (service: Posting, name = 'Acme'): Promise<Person> => {
  const email = `${randomUUID()}@example.com`;
  const { status, body } = await service.post<Omit<Person, 'email' | 'credential' | 'sessionId'>>(
    '/organizations',
    { body: { name, owner: { email, password: PASSWORD } }, credential: null },
  );
  if (status !== 201) throw new Error(`Registering was answered ${status}.`);
  const { organizationId, userId } = body;
  const owner = { organizationId, userId, email };
  const { accessToken: credential, sessionId } = await logIn(service, owner);
  return { ...owner, credential, sessionId };
};

type Terms = Readonly<{ role: Role; projects?: ProjectRoles; email?: string }>;
type Inviting = Posting & Readonly<{ inbox: InvitationInbox }>;
type Invited = Readonly<{ invitationId: string; email: string; token: string }>;

/** Invites somebody, with the credential of whoever manages members. */
export const invite = async (
  service: Inviting,
  credential: string,
  { email = `${randomUUID()}@example.com`, ...terms }: Terms,
): Promise<Invited> => {
  const { status, body } = await service.post<{ invitationId: string }>('/invitations', {
    body: { email, ...terms },
    credential,
  });
  if (status !== 201) throw new Error(`Inviting was answered ${status}.`);
  const { invitationId } = body;
  const { token } = await service.inbox.invitation(invitationId);
  return { invitationId, email, token };
};

export const accept = (service: Posting, token: string, password = PASSWORD) =>
  service.post<{ organizationId: string; userId: string }>('/invitations/accept', {
    body: { token, password },
    credential: null,
  });

/** Invites somebody, who accepts and logs in. */
export const addMember = async (service: Inviting, by: string, terms: Terms): Promise<Person> => {
  const { token, email } = await invite(service, by, terms);
  const { status, body } = await accept(service, token);
  if (status !== 201) throw new Error(`Accepting was answered ${status}.`);
  const { organizationId, userId } = body;
  const member = { organizationId, userId, email };
  const { accessToken: credential, sessionId } = await logIn(service, member);
  return { ...member, credential, sessionId };
};
