import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type FastifyRequest } from 'fastify';
import { type Checkpoint, type SigningKey } from '../../domain/audit/checkpoint.js';
import { DomainError } from '../../domain/decider.js';
import { type EventProof } from '../../queries/trail/prove-event.js';
import { type FullVerification, type VerifyTrail } from '../../queries/trail/verify-trail.js';
import { problems } from '../schemas.js';
import {
  CheckpointList,
  CheckpointSchema,
  PositionParams,
  Proof,
  PublicKey,
  Verified,
} from './audit-trail-schemas.js';

export type AuditTrail = Readonly<{
  verify: (asked: VerifyTrail) => Promise<FullVerification>;
  prove: (organizationId: string, position: number) => Promise<EventProof>;
  take: (organizationId: string) => Promise<Checkpoint | undefined>;
  list: (organizationId: string) => Promise<readonly Checkpoint[]>;
  latest: (organizationId: string) => Promise<Checkpoint | undefined>;
  key: Pick<SigningKey, 'keyId' | 'publicKey'>;
}>;

/** How long a connection may be silent while the whole log is read. */
const VERIFY_MS = 600_000;

const schemaOf = <Answer extends object>(summary: string, answer: Answer) => ({
  tags: ['audit'],
  summary,
  response: { 200: answer, ...problems },
});

const present = (checkpoint: Checkpoint | undefined): Checkpoint => {
  if (checkpoint !== undefined) return checkpoint;
  throw new DomainError('checkpoint-not-found', 'POST /api/v1/audit/checkpoints makes one.');
};

const waitLong = async ({ raw }: FastifyRequest): Promise<void> => {
  raw.socket.setTimeout(VERIFY_MS);
};

/** Proof that the audit trail is what was written: docs/audit.md. */
export const auditTrailRoutes =
  (trail: AuditTrail): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/audit/verify',
      {
        preHandler: waitLong,
        config: { permission: 'audit.verify' },
        schema: schemaOf('Read the whole log anew, against the latest checkpoint', Verified),
      },
      async ({ caller }) => trail.verify({ organizationId: caller.organizationId }),
    );

    app.post(
      '/audit/verify',
      {
        preHandler: waitLong,
        config: { permission: 'audit.verify' },
        schema: {
          ...schemaOf('Read the whole log anew, against a checkpoint that you kept', Verified),
          body: CheckpointSchema,
        },
      },
      async ({ caller, body: checkpoint }) =>
        trail.verify({ organizationId: caller.organizationId, checkpoint }),
    );

    app.get(
      '/audit/checkpoints',
      {
        config: { permission: 'audit.verify' },
        schema: schemaOf('Every signed checkpoint, oldest first', CheckpointList),
      },
      async ({ caller }) => ({ items: [...(await trail.list(caller.organizationId))] }),
    );

    app.post(
      '/audit/checkpoints',
      {
        config: { permission: 'audit.sign' },
        schema: schemaOf('Sign where the trail stands now', CheckpointSchema),
      },
      async ({ caller }) => present(await trail.take(caller.organizationId)),
    );

    app.get(
      '/audit/checkpoints/latest',
      {
        config: { permission: 'audit.verify' },
        schema: schemaOf('The latest signed checkpoint', CheckpointSchema),
      },
      async ({ caller }) => present(await trail.latest(caller.organizationId)),
    );

    app.get(
      '/audit/public-key',
      {
        config: { permission: 'organization.read' },
        schema: schemaOf('The key that checkpoints are checked with', PublicKey),
      },
      async () => ({ keyId: trail.key.keyId, publicKey: trail.key.publicKey }),
    );

    app.get(
      '/audit/events/:position/proof',
      {
        config: { permission: 'audit.verify' },
        schema: {
          ...schemaOf('Proof that an event is among those that were signed', Proof),
          params: PositionParams,
        },
      },
      async ({ caller, params }) => {
        const proof = await trail.prove(caller.organizationId, params.position);
        return { ...proof, path: [...proof.path] };
      },
    );
  };
