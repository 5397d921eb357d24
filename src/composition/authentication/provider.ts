import { type Config, InvalidConfig } from '../../config.js';
import { oidcProvider } from '../../infrastructure/oidc/oidc-provider.js';

/** The configured OpenID provider, if any. @throws InvalidConfig */
export const providerIn = ({ oidcIssuer, oidcClientId, oidcClientSecret, publicUrl }: Config) => {
  if (oidcIssuer === undefined) return undefined;
  if (oidcClientId === undefined || oidcClientSecret === undefined || publicUrl === undefined)
    throw new InvalidConfig('OIDC_ISSUER needs OIDC_CLIENT_ID, OIDC_CLIENT_SECRET and PUBLIC_URL.');
  return oidcProvider({
    issuer: oidcIssuer,
    clientId: oidcClientId,
    clientSecret: oidcClientSecret,
    redirectUri: `${publicUrl}/api/v1/auth/oidc/callback`,
  });
};
