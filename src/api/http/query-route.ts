import {
  type Static,
  type TObject,
  type TProperties,
  type TSchema,
  type TUnknown,
  Type,
} from '@sinclair/typebox';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { may } from '../../domain/access/grants.js';
import { later, toPosition } from '../../domain/position.js';
import { type ActorScope } from '../../queries/audit/actors.js';
import { parseMoment } from '../../queries/moments.js';
import { type Provenance } from '../../queries/provenance.js';
import { type Queries } from '../../queries/queries.js';
import { type App, type Route, router, type Shared } from './route.js';
import { Key, type Position, positionAsked } from './schemas.js';

/** What everybody who may see a thing is told of its last change, and what only readers of the audit log are. */
export type ToldChange = Pick<
  Provenance,
  'eventId' | 'type' | 'revision' | 'position' | 'recordedAt'
> &
  Partial<Provenance>;

export type Told<View> = Omit<View, 'lastChange'> & Readonly<{ lastChange: ToldChange }>;

type Asking = Pick<FastifyRequest, 'caller'> & Readonly<{ params: Readonly<{ project: string }> }>;

const withoutWho = ({ eventId, type, revision, position, recordedAt }: Provenance): ToldChange => ({
  eventId,
  type,
  revision,
  position,
  recordedAt,
});

/** Leaves out of a view who changed it, from where and why, for callers who may not read the project's audit log. */
export const toldTo = <View extends Readonly<{ lastChange: Provenance }>>(
  { caller, params }: Asking,
  view: View,
): Told<View> =>
  may(caller.grants, 'audit.read', params.project)
    ? view
    : { ...view, lastChange: withoutWho(view.lastChange) };

type End = Readonly<{ lastChange: Provenance | null }>;

type ToldEnd<E> = Omit<E, 'lastChange'> & Readonly<{ lastChange: ToldChange | null }>;

export type ToldDiff<Diff extends Readonly<{ from: End; to: End }>> = Omit<Diff, 'from' | 'to'> &
  Readonly<{ from: ToldEnd<Diff['from']>; to: ToldEnd<Diff['to']> }>;

const toldEnd = <E extends End>(asking: Asking, end: E): ToldEnd<E> => {
  const { lastChange } = end;
  return lastChange === null ? end : toldTo(asking, { ...end, lastChange });
};

/** The same for both ends of a diff. */
export const toldDiff = <Diff extends Readonly<{ from: End; to: End }>>(
  asking: Asking,
  diff: Diff,
): ToldDiff<Diff> => ({
  ...diff,
  from: toldEnd(asking, diff.from),
  to: toldEnd(asking, diff.to),
});

/** Text from a query string. Postgres has no U+0000. */
const Text = (maxLength: number, description: string) =>
  Type.String({ minLength: 1, maxLength, pattern: '^[^\\u0000]*$', description });

export const Search = Text(200, 'Anywhere in key, name or description, in any case.');
export const Id = Text(300, 'Exactly this id.');
export const ActorText = Text(
  300,
  "An actor's id, or part of a member's e-mail address or of a key's name, in any case.",
);
export const Time = Type.String({
  maxLength: 64,
  description: 'RFC 3339 with an offset, as 2026-03-01T12:00:00Z; "+" is written %2B.',
});

const PositionAsked = positionAsked(0, 'A place in the whole log.');

/** A past moment: at most one of them. */
export const moment = {
  at: Type.Optional(Time),
  position: Type.Optional(PositionAsked),
};

/** A past moment of one stream. */
export const ownMoment = {
  ...moment,
  revision: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
};

export const source = {
  source: Type.Optional(
    Type.Union([Type.Literal('read-model'), Type.Literal('log')], {
      description: 'log: replayed from the event store itself.',
    }),
  ),
};

export const paging = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
  cursor: Type.Optional(Type.String({ maxLength: 1000, description: '"nextCursor" of a page.' })),
};

export const order = {
  order: Type.Optional(Type.Union([Type.Literal('asc'), Type.Literal('desc')])),
};

/** One end of a diff. */
const DiffEndText = Type.String({
  maxLength: 64,
  description: 'A time (RFC 3339), "position:<n>", "revision:<n>" of a flag, or "now".',
});

/** Both ends of a diff. */
export const diffEnds = { from: DiffEndText, to: Type.Optional(DiffEndText) };

/** Which of the changes of a flag or segment. */
export const changeFilter = {
  type: Type.Optional(Type.Array(Id, { maxItems: 50 })),
  actor: Type.Optional(ActorText),
  from: Type.Optional(Time),
  to: Type.Optional(Time),
};

export const ProjectParams = Type.Object({ project: Key });
export const FlagParams = Type.Object({ project: Key, flag: Key });
export const EnvironmentParams = Type.Object({ project: Key, environment: Key });

const QueryHeaders = Type.Object({
  'x-min-position': Type.Optional(
    positionAsked(
      0,
      'Wait until the read model holds this log position, as a command answered it.',
    ),
  ),
});

/** Read-your-writes: a hook that waits for the position that the caller must see. */
const awaitPosition =
  ({ waitForPosition }: Pick<Queries, 'waitForPosition'>) =>
  async ({ headers }: FastifyRequest): Promise<void> => {
    const wanted = headers['x-min-position'];
    if (wanted !== undefined) await waitForPosition(toPosition(String(wanted)));
  };

/** Declares routes that ask the read model; a caller says how far it must be. */
export const queryRouter = (
  app: App,
  queries: Pick<Queries, 'waitForPosition'>,
  shared: Shared,
) => {
  const route = router(app, shared);
  const preHandler = awaitPosition(queries);
  return <A extends TSchema, P extends TSchema = TUnknown, Q extends TProperties = TProperties>(
    url: string,
    summary: string,
    own: Route<P, Q, TUnknown, A>,
  ): void => {
    route<A, P, Q>('GET', url, summary, { ...own, headers: QueryHeaders, preHandler });
  };
};

/** What a request reads, where it may say so: the read model or the log, and at which moment. */
export const readingOf = async (
  { sources, resolveMoment }: Pick<Queries, 'sources' | 'resolveMoment'>,
  {
    source: from = 'read-model',
    ...asked
  }: MomentAsked & Readonly<{ source?: keyof Queries['sources'] }>,
  stream?: string,
) => ({ source: sources[from], then: await resolveMoment(asked, stream) });

/** Both ends of a diff as moments, and the later of their positions. `to` is now unless said otherwise. */
export const endsOf = async (
  { resolveMoment }: Pick<Queries, 'resolveMoment'>,
  { from, to = 'now' }: Readonly<{ from: string; to?: string }>,
  stream?: string,
) => {
  const before = await resolveMoment(parseMoment(from), stream);
  const after = await resolveMoment(parseMoment(to), stream);
  return { before, after, position: later(before.position, after.position) };
};

/** What a path names, in the caller's organization. */
export const addressIn = <Params extends object>({
  caller,
  params,
}: Pick<FastifyRequest, 'caller'> & { params: Params }) => ({
  organizationId: caller.organizationId,
  ...params,
});

/** The actors that a caller may see by name, not only by id. */
export const actorScope = ({ caller }: Pick<FastifyRequest, 'caller'>): ActorScope => ({
  organizationId: caller.organizationId,
  seesPeople: may(caller.grants, 'members.read'),
});

/** A query's filters as the read model takes them: actors as ids. @throws DomainError unknown-actor */
export const filterIn = async <Filter extends Readonly<{ actor?: string; type?: string[] }>>(
  { findActors }: Pick<Queries, 'findActors'>,
  request: Pick<FastifyRequest, 'caller'>,
  { actor, type, ...rest }: Filter,
) => ({
  ...rest,
  ...(type && { types: type }),
  ...(actor !== undefined && { actors: await findActors(actor, actorScope(request)) }),
});

/** An answer with the log position that it stands on, also as X-Position. */
export const standing = <Answer extends object>(
  reply: FastifyReply,
  position: Position,
  answer: Answer,
): Answer & { position: Position } => {
  void reply.header('x-position', String(position));
  // What has an ETag of its own has the revision. A list may change with any event.
  if (!reply.hasHeader('etag')) void reply.header('etag', `W/"at-${position}"`);
  return { ...answer, position };
};

export type MomentAsked = Static<TObject<typeof ownMoment>>;
