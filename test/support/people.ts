import { type HttpClient } from './http-client.js';

export const PASSWORD = 'a lantern over the sea';

/** What a login or refresh answers. */
export type Tokens = Readonly<{
  organizationId: string;
  userId: string;
  sessionId: string;
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
}>;

export type Owner = Readonly<{ organizationId: string; userId: string; email: string }>;

/** An organization of its own, with its owner, whose password is PASSWORD. */
export const registerOwner = async (
  { post }: Pick<HttpClient, 'post'>,
  name: string,
): Promise<Owner> => {
  const email = `owner@${name}.example.com`;
  const { status, body } = await post<Omit<Owner, 'email'>>('/organizations', {
    credential: null,
    body: { name, owner: { email, password: PASSWORD } },
  });
  if (status !== 201) throw new Error(`Registering ${name} was answered ${status}.`);
  const { organizationId, userId } = body;
  return { organizationId, userId, email };
};

export const logIn = async (
  { post }: Pick<HttpClient, 'post'>,
  { organizationId: organization, email }: Owner,
  password = PASSWORD,
): Promise<Tokens> => {
  const { status, body } = await post<Tokens>('/auth/login', {
    credential: null,
    body: { organization, email, password },
  });
  if (status !== 200) throw new Error(`Logging in was answered ${status}.`);
  return body;
};
