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
import { router } from '../http/route.js';
import {} from '../http/schemas.js';
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
    const route = router(app, { tag: 'audit', permission: 'audit.verify' });
    const verifying = workAtOnce(VERIFYING, 'verifications');
    route('GET', '/audit/verify', 'Read the whole log anew, against the latest checkpoint', {
      preHandler: waitLong,
      isHeavy: true,
      answer: Verified,
      run: async ({ caller: { organizationId }, signal }, reply) =>
        verifying(organizationId, reply, () => trail.verify({ organizationId, signal })),
    });

    route('POST', '/audit/verify', 'Read the whole log anew, against a checkpoint that you kept', {
      body: CheckpointSchema,
      preHandler: waitLong,
      isHeavy: true,
      answer: Verified,
      run: async ({ caller: { organizationId }, body: checkpoint, signal }, reply) =>
        verifying(organizationId, reply, () =>
          trail.verify({ organizationId, checkpoint, signal }),
        ),
    });

    route('GET', '/audit/checkpoints', 'Every signed checkpoint, oldest first', {
      answer: CheckpointList,
      run: async ({ caller: { organizationId } }) => ({
        items: [...(await trail.list(organizationId))],
        delivery: await trail.delivery(organizationId),
      }),
    });

    route('POST', '/audit/checkpoints', 'Sign where the trail stands now', {
      permission: 'audit.sign',
      answer: CheckpointSchema,
      run: async ({ caller }) => present(await trail.take(caller.organizationId)),
    });

    route('GET', '/audit/checkpoints/latest', 'The latest signed checkpoint', {
      answer: CheckpointSchema,
      run: async ({ caller }) => present(await trail.latest(caller.organizationId)),
    });

    route('GET', '/audit/public-key', 'The key that checkpoints are checked with', {
      permission: 'organization.read',
      answer: PublicKey,
      run: async () => {
        const { keyId, publicKey, successions } = trail.key;
        return { keyId, publicKey, successions: [...successions] };
      },
    });

    const about = 'Proof that an event is among those that were signed';
    route('GET', '/audit/events/:position/proof', about, {
      params: PositionParams,
      answer: Proof,
      run: async ({ caller, params }) => {
        const proof = await trail.prove(caller.organizationId, params.position);
        return { ...proof, path: [...proof.path] };
      },
    });
  };
