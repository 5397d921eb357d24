import { randomUUID } from 'node:crypto';
import { type Static, Type } from '@sinclair/typebox';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import {
  batchUnderKey,
  type BatchWork,
  type Claim,
  type CommandKey,
  type CommandKeys,
  underKey,
} from '../../commands/streams/command-keys.js';
import { commandHashOf } from '../../commands/streams/event-store.js';
import { canonicalJson, type Json } from '../../domain/json.js';
import { type Metadata, SCHEMA_VERSION } from '../../domain/recorded.js';
import { projectIdOf } from '../../domain/streams.js';
import { Change, closed, Position } from './schemas.js';

export const CommandQuery = Type.Object(
  {
    dryRun: Type.Optional(
      Type.Boolean({ description: 'Answer what would be written; write nothing.' }),
    ),
    reason: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1000,
        description: 'The reason; stored with the events.',
      }),
    ),
  },
  closed,
);

/** Headers of whatever writes. */
const repeatable = {
  'idempotency-key': Type.Optional(
    Type.String({
      pattern: '^[\\x21-\\x7e]{1,200}$',
      description: 'A repeat with the same key gets the same answer and is written once.',
    }),
  ),
  'x-correlation-id': Type.Optional(
    Type.String({
      pattern: '^[\\x21-\\x7e]{1,200}$',
      description: 'Your own reference, such as a ticket; stored with the events.',
    }),
  ),
};

export const RepeatableHeaders = Type.Object(repeatable);

export const CommandHeaders = Type.Object({
  'if-match': Type.Optional(
    Type.String({
      pattern: '^(?:W/)?"\\d{1,15}"$',
      description: 'The revision that you read, in quotes; 412 when it is no longer the last.',
    }),
  ),
  ...repeatable,
});

export const CommandAnswer = Type.Object({
  result: Type.Union([
    Type.Literal('recorded'),
    Type.Literal('unchanged'),
    Type.Literal('dry-run'),
  ]),
  revision: Type.Integer({ minimum: -1, description: 'Of the stream, after the command.' }),
  position: Position,
  commandId: Type.String(),
  events: Type.Array(Type.Object({ type: Type.String(), data: Type.Unknown() })),
  changes: Type.Array(Change),
});

export type CommandAnswer = Static<typeof CommandAnswer>;
export type CommandQuery = Static<typeof CommandQuery>;

/** The id of the project that a request's path names, in the caller's organization. */
export const projectIn = ({
  caller,
  params,
}: Pick<FastifyRequest, 'caller'> & { params: { project: string } }): string =>
  projectIdOf(caller.organizationId, params.project);

/** Where a project is, for the Location of what is made in it. */
export const projectPath = (project: string): string => `/api/v1/projects/${project}`;

/** A dry run asks the same as the command itself, so that it is not part of what is asked. */
const commandHash = ({ method, url, query, body }: FastifyRequest): string => {
  const { dryRun, ...asked } = query as CommandQuery;
  const [path = ''] = url.split('?', 1);
  return commandHashOf(canonicalJson([method, path, asked, (body ?? null) as Json]));
};

/** Everything that is kept next to the events of this request. */
export const metadataOf = (request: FastifyRequest): Metadata => {
  const { reason } = request.query as CommandQuery;
  const correlationId = request.headers['x-correlation-id'];
  const userAgent = request.headers['user-agent'];
  return {
    actor: request.caller.actor,
    commandId: request.commandId,
    commandHash: commandHash(request),
    correlationId: typeof correlationId === 'string' ? correlationId : request.id,
    causationId: request.commandId,
    requestId: request.id,
    ip: request.ip,
    ...(userAgent === undefined ? {} : { userAgent: userAgent.slice(0, 500) }),
    ...(reason === undefined ? {} : { reason }),
    schemaVersion: SCHEMA_VERSION,
  };
};

declare module 'fastify' {
  interface FastifyInstance {
    /** Absent: a key is known only to the stream that it was used for. */
    commandKeys: CommandKeys | undefined;
    /** What a proxy puts in front of our paths; empty: nothing. */
    publicPath: string;
    /** A command is answered within this time, whatever the event store does. */
    commandTimeoutMs: number;
  }
}

/** The keys and the one of this request; undefined when it has none or does not write. */
const keyOf = (
  { caller, headers, server, query }: FastifyRequest,
  { commandId, commandHash }: Metadata,
): Readonly<{ keys: CommandKeys; key: CommandKey }> | undefined => {
  const { commandKeys: keys } = server;
  const { organizationId } = caller;
  const isDryRun = (query as CommandQuery).dryRun === true;
  // Whoever registers belongs to no organization yet: the command sees to its key itself.
  const isUsed = headers['idempotency-key'] !== undefined && organizationId !== '' && !isDryRun;
  return keys === undefined || !isUsed
    ? undefined
    : { keys, key: { organizationId, commandId, commandHash } };
};

/** Whether the Idempotency-Key of a request was used before. */
export const isRepeat = async (request: FastifyRequest): Promise<boolean> => {
  const used = keyOf(request, metadataOf(request));
  if (used === undefined) return false;
  const claim = await used.keys.claim(used.key);
  if (claim === 'new') await used.keys.release(used.key);
  return claim !== 'new';
};

/**
 * Does the work of a request under its Idempotency-Key, when it has one and may write.
 * @throws DomainError `idempotency-key-reused`
 */
export const underItsKey = <Outcome extends Readonly<{ kind: string }>>(
  request: FastifyRequest,
  metadata: Metadata,
  work: (claim: Claim) => Promise<Outcome>,
): Promise<Outcome> => {
  const used = keyOf(request, metadata);
  return used === undefined ? work('new') : underKey(used.keys, used.key, work);
};

/**
 * The same for a request that is many commands: a repeat is answered as the first was.
 * @throws DomainError `idempotency-key-reused`
 */
export const batchUnderItsKey = async <Answer>(
  request: FastifyRequest,
  reply: FastifyReply,
  work: BatchWork<Answer>,
): Promise<Answer> => {
  const used = keyOf(request, metadataOf(request));
  if (used === undefined) return work.run();
  const { answer, isRepeat } = await batchUnderKey(used.keys, used.key, work);
  if (isRepeat) void reply.header('idempotency-replayed', 'true');
  return answer;
};

/** Gives the request its command id; before the handler, so that also an error can tell it. */
export const nameCommand = async (request: FastifyRequest): Promise<void> => {
  const key = request.headers['idempotency-key'];
  request.commandId = typeof key === 'string' ? key : randomUUID();
};

/** A batch may take longer than a command: it is many of them. */
export const BATCH_TIMEOUT_MS = 60_000;

const ON_CONFLICT = ['fail', 'skip', 'theirs', 'mine'] as const;

export const OnConflictQuery = Type.Optional(
  Type.Union(
    ON_CONFLICT.map((policy) => Type.Literal(policy)),
    {
      default: 'fail',
      description:
        'When both sides changed a field since the last merge: write nothing, skip that flag, keep theirs (what is here), or take mine (what you send).',
    },
  ),
);

/** A field that both sides changed. */
const Conflict = Type.Object({
  field: Type.String({ description: 'A JSON pointer into the flag or segment.' }),
  theirs: Type.Unknown({ description: 'The value here; null: none.' }),
  mine: Type.Unknown({ description: 'The value you send; null: none.' }),
  why: Type.Optional(Type.String()),
  changedBy: Type.Optional(
    Type.Object({ id: Type.String(), type: Type.String(), authMethod: Type.String() }),
  ),
  changedAt: Type.Optional(Type.String({ format: 'date-time' })),
  revision: Type.Optional(Type.Integer()),
});

/** What a merge tells besides what became of it. */
const mergeNotes = {
  conflicts: Type.Optional(Type.Array(Conflict)),
  kept: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Fields that differ and are kept, because they changed only here.',
    }),
  ),
  warnings: Type.Optional(Type.Array(Type.String())),
};

/** What became of one of many. */
export const batchResult = {
  result: Type.String({ description: 'created, changed, unchanged, skipped or refused.' }),
  code: Type.Optional(Type.String({ description: 'Why it was refused.' })),
  detail: Type.Optional(Type.String({ description: 'Where, and what.' })),
  revision: Type.Optional(Type.Integer({ minimum: -1 })),
  position: Type.Optional(Position),
  ...mergeNotes,
  events: Type.Optional(Type.Array(Type.Object({ type: Type.String(), data: Type.Unknown() }))),
};

/** What a command on many flags answers: a report a flag. */
export const batchReport = {
  dryRun: Type.Boolean(),
  summary: Type.Object({
    created: Type.Integer(),
    changed: Type.Integer(),
    unchanged: Type.Integer(),
    skipped: Type.Integer(),
    refused: Type.Integer(),
  }),
  flags: Type.Array(Type.Object({ flag: Type.String(), ...batchResult })),
};
