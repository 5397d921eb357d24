import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  type Static,
  type TObject,
  type TProperties,
  type TSchema,
  type TUnknown,
  Type,
} from '@sinclair/typebox';
import {
  type FastifyContextConfig,
  type FastifyReply,
  type FastifyRequest,
  type FastifySchema,
  type RouteShorthandOptions,
} from 'fastify';
import { closed, problems } from './schemas.js';

export type App = Parameters<FastifyPluginAsyncTypebox>[0];

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What the routes of one plugin share: their tag in the documentation, and who may call them unless one says otherwise. */
export type Shared = Readonly<{ tag: string }> &
  Pick<FastifyContextConfig, 'permission' | 'access'>;

/** What a route takes. */
type Parts<P extends TSchema, Q extends TProperties, B extends TSchema> = Readonly<{
  params?: P;
  /** Parameters of the query string; others are refused. */
  query?: Q;
  body?: B;
}>;

type Options = Readonly<{
  /** For a route that belongs elsewhere than those around it. */
  tag?: string;
  headers?: TObject;
  /** For a route that needs no credentials: []. */
  security?: readonly [];
  /** It answers 201, too. */
  isCreation?: boolean;
}>;

/** What a route says besides its answer. */
export type Takes<P extends TSchema, Q extends TProperties, B extends TSchema> = Parts<P, Q, B> &
  Options &
  Pick<RouteShorthandOptions, 'bodyLimit' | 'preValidation' | 'preHandler'> &
  FastifyContextConfig;

/** A request of which all parts were checked. */
export type Checked<
  P extends TSchema,
  Q extends TProperties,
  B extends TSchema = TUnknown,
> = FastifyRequest & Readonly<{ params: Static<P>; query: Static<TObject<Q>>; body: Static<B> }>;

type ReadOnly<T> = T extends FastifyReply
  ? T
  : T extends readonly (infer Item)[]
    ? readonly ReadOnly<Item>[]
    : T extends object
      ? { readonly [Name in keyof T]: ReadOnly<T[Name]> }
      : T;

/** What a route answers: like everything else here, it may be read-only. */
export type Answered<A extends TSchema> = ReadOnly<Static<A>>;

export type Route<
  P extends TSchema,
  Q extends TProperties,
  B extends TSchema,
  A extends TSchema,
> = Takes<P, Q, B> &
  Readonly<{
    answer: A;
    run: (request: Checked<P, Q, B>, reply: FastifyReply) => Answered<A> | Promise<Answered<A>>;
  }>;

type Present<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

/** Without what is undefined. */
const present = <T extends object>(parts: T): Present<T> =>
  Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined)) as Present<T>;

/**
 * Declares routes: what one route has of its own is all that it says.
 * Commands have `commandRouter` or `aggregateRouter`, questions to the read model `queryRouter`.
 */
export const router =
  (app: App, { tag: usual, ...shared }: Shared) =>
  <
    A extends TSchema,
    P extends TSchema = TUnknown,
    Q extends TProperties = TProperties,
    B extends TSchema = TUnknown,
  >(
    method: Method,
    url: string,
    summary: string,
    route: Route<P, Q, B, A>,
  ): void => {
    const {
      params,
      query,
      body,
      headers,
      security,
      isCreation = false,
      tag = usual,
      ...rest
    } = route;
    const { bodyLimit, preValidation, preHandler, answer, run, ...config } = rest;
    const schema: FastifySchema = {
      tags: [tag],
      summary,
      ...present({ security, headers, params, body }),
      ...(query && { querystring: Type.Object(query, closed) }),
      response: { 200: answer, ...(isCreation && { 201: answer }), ...problems },
    };
    app.route({
      method,
      url,
      schema,
      config: { ...shared, ...config },
      ...present({ bodyLimit, preValidation, preHandler }),
      handler: (request, reply) => run(request as Parameters<typeof run>[0], reply),
    });
  };
