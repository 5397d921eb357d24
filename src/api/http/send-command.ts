import { type TProperties, type TSchema, type TUnknown } from '@sinclair/typebox';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type CommandRequest, type Handle } from '../../commands/streams/command.js';
import { type Claim } from '../../commands/streams/command-keys.js';
import { AppendOutcomeUnknown } from '../../commands/streams/event-store.js';
import { type Change } from '../../domain/changes.js';
import { type Command, type Event } from '../../domain/decider.js';
import {
  CommandAnswer,
  CommandHeaders,
  CommandQuery,
  metadataOf,
  nameCommand,
  underItsKey,
} from './command-route.js';
import {
  type Answered,
  type App,
  type Checked,
  type Method,
  router,
  type Shared,
  type Takes,
} from './route.js';

/** One that carries, or writes, long lists of keys. */
const LARGE_COMMAND_TIMEOUT_MS = 30_000;
const LARGE_BODY = 64 * 1024;

type Existing<S> = Exclude<S, { status: 'absent' }>;

type ChangesOf<S> = (
  before: Existing<S> | undefined,
  after: Existing<S> | undefined,
) => readonly Change[];

const isExisting = <S extends { status: string }>(state: S): state is Existing<S> =>
  state.status !== 'absent';

const existing = <S extends { status: string }>(state: S): Existing<S> | undefined =>
  isExisting(state) ? state : undefined;

const RESULTS = {
  recorded: 'recorded',
  repeated: 'recorded',
  unchanged: 'unchanged',
  'dry-run': 'dry-run',
} as const;

const expectedRevision = ({ headers }: FastifyRequest): { expectedRevision?: number } => {
  const digits = /\d+/.exec(headers['if-match'] ?? '')?.[0];
  return digits === undefined ? {} : { expectedRevision: Number(digits) };
};

type InTime = Pick<CommandRequest<never>, 'signal' | 'isLarge'>;

const timeoutMs = ({ headers, server }: FastifyRequest): number =>
  Number(headers['content-length'] ?? Infinity) > LARGE_BODY
    ? LARGE_COMMAND_TIMEOUT_MS
    : server.commandTimeoutMs;

/**
 * Runs `work` with a signal that aborts after its time. What was begun then goes on, and its outcome is not known.
 * @throws AppendOutcomeUnknown then
 */
const unlessLate = async <T>(ms: number, work: (inTime: InTime) => Promise<T>): Promise<T> => {
  const late = new AbortController();
  let fail = (): void => undefined;
  const overdue = new Promise<never>((_, reject) => {
    fail = () => {
      late.abort();
      // A command whose append was not begun says by itself that nothing was written.
      setImmediate(() => {
        reject(new AppendOutcomeUnknown('The event store did not confirm the command in time.'));
      });
    };
  });
  let timer = setTimeout(fail, ms);
  const isLarge = (): void => {
    clearTimeout(timer);
    timer = setTimeout(fail, LARGE_COMMAND_TIMEOUT_MS);
  };
  try {
    return await Promise.race([work({ signal: late.signal, isLarge }), overdue]);
  } finally {
    clearTimeout(timer);
  }
};

/**
 * Runs one command of a request and answers it: 201 and Location when it made what is at `location`, else 200.
 * ETag = revision.
 * @throws whatever the command throws, and AppendOutcomeUnknown when its time is over
 */
export const commandSender =
  <S extends { status: string }, C extends Command, E extends Event>(
    handle: Handle<S, C, E>,
    changesOf: ChangesOf<S>,
  ) =>
  async (
    request: FastifyRequest,
    reply: FastifyReply,
    command: C,
    location?: string,
  ): Promise<CommandAnswer> => {
    const { dryRun = false } = request.query as CommandQuery;
    const metadata = metadataOf(request);
    const { grants } = request.caller;
    const work = (claim: Claim) =>
      unlessLate(timeoutMs(request), async (inTime) => {
        const asked = {
          command,
          metadata,
          grants,
          ...expectedRevision(request),
          dryRun,
          isNew: request.headers['idempotency-key'] === undefined,
          ...inTime,
        };
        const outcome = await handle(asked);
        // When two processes get it at once, both believe that they have written it.
        const isRepeat = claim === 'same' && outcome.kind === 'recorded' && !outcome.isFirst;
        if (isRepeat) return { ...outcome, kind: 'repeated' as const };
        const isOwn = claim === 'new' && outcome.isOwnTry === true;
        return isOwn ? { ...outcome, kind: 'recorded' as const } : outcome;
      });
    const outcome = await underItsKey(request, metadata, work);
    const { kind, revision, position, events, before, after } = outcome;
    if (location !== undefined && RESULTS[kind] === 'recorded')
      void reply.code(201).header('location', request.server.publicPath + location);
    if (kind === 'repeated') void reply.header('idempotency-replayed', 'true');
    void reply.header('etag', `"${revision}"`);
    return {
      result: RESULTS[kind],
      revision,
      position,
      commandId: metadata.commandId,
      events: events.map(({ type, data }) => ({ type, data })),
      changes: [...changesOf(existing(before), existing(after))],
    };
  };

/** A body may be left out where everything in it is optional: it is then `{}`. */
const emptyBodyIsObject = async (request: FastifyRequest): Promise<void> => {
  request.body ??= {};
};

type CommandTakes<P extends TSchema, Q extends TProperties, B extends TSchema> = Takes<P, Q, B> &
  Readonly<{ isBodyOptional?: boolean }>;

type WithCommandQuery<Q extends TProperties> = Q & typeof CommandQuery.properties;
type Asked<P extends TSchema, Q extends TProperties, B extends TSchema> = Checked<
  P,
  WithCommandQuery<Q>,
  B
>;

/** Declares routes of commands that answer in their own way. */
export const commandRouter = (app: App, shared: Shared) => {
  const route = router(app, shared);
  return <
    P extends TSchema = TUnknown,
    Q extends TProperties = TProperties,
    B extends TSchema = TUnknown,
    A extends TSchema = typeof CommandAnswer,
  >(
    method: Exclude<Method, 'GET'>,
    url: string,
    summary: string,
    {
      query,
      isBodyOptional = false,
      answer,
      run,
      ...own
    }: CommandTakes<P, Q, B> &
      Readonly<{
        /** Absent: as every command. */
        answer?: A;
        run: (request: Asked<P, Q, B>, reply: FastifyReply) => Promise<Answered<A>>;
      }>,
  ): void => {
    route<TSchema, P, WithCommandQuery<Q>, B>(method, url, summary, {
      ...own,
      query: { ...CommandQuery.properties, ...query } as WithCommandQuery<Q>,
      headers: CommandHeaders,
      preValidation: isBodyOptional ? [nameCommand, emptyBodyIsObject] : nameCommand,
      answer: answer ?? CommandAnswer,
      run,
    });
  };
};

/** Declares routes that send one command to a stream. */
export const aggregateRouter = <S extends { status: string }, C extends Command, E extends Event>(
  app: App,
  {
    handle,
    changesOf,
    ...shared
  }: Shared & Readonly<{ handle: Handle<S, C, E>; changesOf: ChangesOf<S> }>,
) => {
  const route = commandRouter(app, shared);
  const send = commandSender(handle, changesOf);
  return <
    P extends TSchema = TUnknown,
    Q extends TProperties = TProperties,
    B extends TSchema = TUnknown,
  >(
    method: Exclude<Method, 'GET'>,
    url: string,
    summary: string,
    {
      toCommand,
      locationOf,
      ...own
    }: CommandTakes<P, Q, B> &
      Readonly<{
        toCommand: (request: Asked<P, Q, B>) => C | Promise<C>;
        /** For a command that makes something: its path, behind the public path. */
        locationOf?: (request: Asked<P, Q, B>) => string;
      }>,
  ): void => {
    route<P, Q, B>(method, url, summary, {
      ...own,
      isCreation: locationOf !== undefined,
      run: async (request, reply) =>
        send(request, reply, await toCommand(request), locationOf?.(request)),
    });
  };
};
