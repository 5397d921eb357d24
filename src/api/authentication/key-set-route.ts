import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

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
          response: { 200: KeySet },
        },
      },
      async (_, reply) => {
        void reply.header('cache-control', `public, max-age=${JWKS_SECONDS}`);
        return { keys: [...published()] };
      },
    );
  };
