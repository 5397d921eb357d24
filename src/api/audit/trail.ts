import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type FastifyRequest } from 'fastify';
import { type Checkpoint, type VerifyingKey } from '../../domain/audit/checkpoint.js';
import { type Succession } from '../../domain/audit/succession.js';
import { DomainError } from '../../domain/decider.js';
import { type Position } from '../../domain/position.js';
import { type Delivery } from '../../queries/trail/checkpoints.js';
import { type EventProof } from '../../queries/trail/prove-event.js';
import { type FullVerification, type VerifyTrail } from '../../queries/trail/verify-trail.js';
import { type AtOnce, workAtOnce } from '../limits/limit-requests.js';
import { problems } from '../http/schemas.js';
import {
  CheckpointList,
  CheckpointSchema,
  PositionParams,
  Proof,
  PublicKey,
  Verified,
} from './trail-schemas.js';

export type AuditTrail = Readonly<{
  verify: (asked: VerifyTrail) => Promise<FullVerification>;
  prove: (organizationId: string, position: Position) => Promise<EventProof>;
  take: (organizationId: string) => Promise<Checkpoint | undefined>;
  list: (organizationId: string) => Promise<readonly Checkpoint[]>;
  /** How far they have been brought outside; null where no such place is configured. */
  delivery: (
    organizationId: string,
  ) => Promise<Readonly<Record<'file' | 'webhook', Delivery | null>>>;
  latest: (organizationId: string) => Promise<Checkpoint | undefined>;
  key: Pick<VerifyingKey, 'keyId' | 'publicKey'> & Readonly<{ successions: readonly Succession[] }>;
}>;

/** How long a connection may be silent while the whole log is read. */
const VERIFY_MS = 600_000;

/** Each reads the whole log. */
const VERIFYING: AtOnce = { perOrganization: 1, perProcess: 3 };

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
    const verifying = workAtOnce(VERIFYING, 'verifications');
    app.get(
      '/audit/verify',
      {
        preHandler: waitLong,
        config: { permission: 'audit.verify' },
        schema: schemaOf('Read the whole log anew, against the latest checkpoint', Verified),
      },
      async ({ caller: { organizationId }, signal }, reply) =>
        verifying(organizationId, reply, () => trail.verify({ organizationId, signal })),
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
      async ({ caller: { organizationId }, body: checkpoint, signal }, reply) =>
        verifying(organizationId, reply, () =>
          trail.verify({ organizationId, checkpoint, signal }),
        ),
    );

    app.get(
      '/audit/checkpoints',
      {
        config: { permission: 'audit.verify' },
        schema: schemaOf('Every signed checkpoint, oldest first', CheckpointList),
      },
      async ({ caller: { organizationId } }) => ({
        items: [...(await trail.list(organizationId))],
        delivery: await trail.delivery(organizationId),
      }),
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
      async () => {
        const { keyId, publicKey, successions } = trail.key;
        return { keyId, publicKey, successions: [...successions] };
      },
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
