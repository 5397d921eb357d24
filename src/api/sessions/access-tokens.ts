import { randomUUID } from 'node:crypto';
import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { createSigner, createVerifier, TokenError } from 'fast-jwt';
import { DomainError } from '../../domain/decider.js';
import { type LoginMethod } from '../../domain/session.js';
import { problems } from '../http/schemas.js';

/** How long a token is valid, in seconds. */
export const ACCESS_TOKEN_SECONDS = 15 * 60;

const AUDIENCE = 'chronoflag';
const ALGORITHM = 'EdDSA';
/** RFC 9068: so that no other kind of token is taken for one. */
const TYPE = 'at+jwt';
const REQUIRED = ['iss', 'aud', 'sub', 'tid', 'sid', 'amr', 'jti', 'iat', 'exp'];
const CLOCK_TOLERANCE_MS = 5_000;
/** Tokens of one key that are known to be good; each is forgotten when it expires. */
const CACHED = 10_000;

/** What a token says: who, of which organization, in which session. Never what is allowed: that is looked up. */
export type AccessClaims = Readonly<{
  organizationId: string;
  userId: string;
  sessionId: string;
  method: LoginMethod;
}>;

type TokenKeys = Readonly<{
  /** PEM of a key that is usable now. */
  publicKey: (kid: string) => string | undefined;
  /** The one that signs, PEM; undefined when none is known yet. */
  signing: () => Readonly<{ kid: string; privateKey: string }> | undefined;
}>;

type Payload = Readonly<{ sub: string; tid: string; sid: string; amr: readonly [LoginMethod] }>;
type Verifier = Readonly<{ publicKey: string; verify: (token: string) => Payload }>;
type Signer = Readonly<{ kid: string; sign: (claims: object) => string }>;

/** The `kid` that a token names in its header, which nobody has vouched for yet. */
const kidIn = (token: string): string | undefined => {
  try {
    const header = token.slice(0, token.indexOf('.'));
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid?: unknown };
    return typeof kid === 'string' ? kid : undefined;
  } catch {
    return undefined;
  }
};

const EXPIRED = 'The access token has expired; POST /auth/refresh gives another.';

/** 64 bytes in base64url, in the one way to write them: the last character stands for two bits. RFC 4648, 3.5. */
const SIGNATURE = /\.[\w-]{85}[AQgw]$/;

const THREE_PARTS = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Whether a credential has the shape of a token: three parts in base64url. */
export const isToken = (credential: string): boolean => THREE_PARTS.test(credential);

const claimsOf = ({ tid, sub, sid, amr: [method] }: Payload): AccessClaims => ({
  organizationId: tid,
  userId: sub,
  sessionId: sid,
  method,
});

/** Access tokens: JWTs of one issuer, for us, signed with EdDSA. RFC 8725, RFC 9068. `cached`: of each key. */
export const accessTokens = (keys: TokenKeys, issuer: string, cached = CACHED) => {
  const verifiers = new Map<string, Verifier>();
  let signer: Signer | undefined;

  const makeVerifier = (publicKey: string): Verifier => ({
    publicKey,
    // The cache's own key builder is the only one that is safe (GHSA-rp9m-7r4c-75qg).
    verify: createVerifier({
      key: publicKey,
      algorithms: [ALGORITHM],
      allowedIss: issuer,
      allowedAud: AUDIENCE,
      checkTyp: TYPE,
      requiredClaims: REQUIRED,
      clockTolerance: CLOCK_TOLERANCE_MS,
      cache: cached,
    }) as Verifier['verify'],
  });

  /** Only a key of our own set; whatever else a header points to (`jku`, `x5u`, `jwk`) is ignored. */
  const verifierFor = (kid: string): Verifier | undefined => {
    const publicKey = keys.publicKey(kid);
    if (publicKey === undefined) {
      verifiers.delete(kid);
      return undefined;
    }
    const known = verifiers.get(kid);
    if (known?.publicKey === publicKey) return known;
    const verifier = makeVerifier(publicKey);
    verifiers.set(kid, verifier);
    return verifier;
  };

  const signerNow = (): Signer => {
    const key = keys.signing();
    if (key === undefined)
      throw new DomainError('overloaded', 'The keys that sign tokens are not loaded yet.');
    if (signer?.kid === key.kid) return signer;
    const { kid, privateKey } = key;
    const header = { alg: ALGORITHM, typ: TYPE };
    signer = {
      kid,
      sign: createSigner({
        key: privateKey,
        algorithm: ALGORITHM,
        kid,
        header,
        iss: issuer,
        aud: AUDIENCE,
        expiresIn: ACCESS_TOKEN_SECONDS * 1000,
      }),
    };
    return signer;
  };

  return {
    /** @throws DomainError `overloaded` while no key is known */
    sign: ({ userId, organizationId, sessionId, method }: AccessClaims): string =>
      signerNow().sign({
        sub: userId,
        tid: organizationId,
        sid: sessionId,
        amr: [method],
        jti: randomUUID(),
      }),

    /**
     * What a valid token says; undefined for every other text. Waits for nothing.
     * @throws DomainError `unauthorized` for one of ours that has expired
     */
    verify: (token: string): AccessClaims | undefined => {
      const kid = kidIn(token);
      const verifier = kid === undefined ? undefined : verifierFor(kid);
      if (verifier === undefined || !SIGNATURE.test(token)) return undefined;
      try {
        return claimsOf(verifier.verify(token));
      } catch (error) {
        if (error instanceof TokenError && error.code === TokenError.codes.expired)
          throw new DomainError('unauthorized', EXPIRED);
        return undefined;
      }
    },
  };
};

export type AccessTokens = ReturnType<typeof accessTokens>;

/** How long others may keep the set: a new key is published longer than that before it signs. */
const JWKS_SECONDS = 300;

const KeySet = Type.Object(
  {
    keys: Type.Array(
      Type.Object({
        kty: Type.String(),
        crv: Type.String(),
        x: Type.String(),
        kid: Type.String(),
        use: Type.String(),
        alg: Type.String(),
      }),
    ),
  },
  { description: 'RFC 7517.' },
);

type PublishedKey = Readonly<
  Record<'kty' | 'crv' | 'x' | 'kid', string> & { use: 'sig'; alg: 'EdDSA' }
>;

/** The keys that access tokens can be verified with, for everybody. */
export const keySetRoute =
  (published: () => readonly PublishedKey[]): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/.well-known/jwks.json',
      {
        config: { access: 'public' },
        schema: {
          tags: ['sessions'],
          summary: 'The keys that verify access tokens',
          response: { 200: KeySet, ...problems },
        },
      },
      async (_, reply) => {
        void reply.header('cache-control', `public, max-age=${JWKS_SECONDS}`);
        return { keys: [...published()] };
      },
    );
  };
