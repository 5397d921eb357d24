import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { DomainError } from '../../domain/decider.js';
import { later, type Position } from '../../domain/position.js';
import { isRepeat } from '../http/command-route.js';
import { type Amounts, type UsageTally } from './usage-tally.js';

/** What is limited: flags and segments for each project, all else for the organization. */
export type Quota = 'projects' | 'members' | 'tokens' | 'keys' | 'flags' | 'segments' | 'bytes';

/**
 * Where the bytes come from that a command adds: its body, the flag or segment that its path names, the project (for one
 * more environment, or for all of them), a flagd file. `batch`: changes in many flags, known only when it is done.
 */
type BytesFrom = 'body' | 'flag' | 'segment' | 'environment' | 'project' | 'file' | 'batch';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route counts against. Absent: it works although a quota is full. */
    quota?: Readonly<{ one?: Exclude<Quota, 'bytes'>; bytes?: BytesFrom }>;
  }
  interface FastifyRequest {
    /** To be told what became of what the request adds. */
    settleUsage: ReturnType<UsageTally['take']> | undefined;
    /** Where in the log it was written; null: nothing was; undefined: not known. */
    writtenAt: Position | null | undefined;
  }
}

type SizesOf = (
  kind: 'flag' | 'segment',
  named: Readonly<{ organizationId: string; project: string; keys: readonly string[] }>,
) => Promise<Readonly<{ live: number; bytes: number }>>;

export type Quotas = Readonly<{
  /** An absent quota is no limit. `installation`: bytes of all organizations. */
  limits: Readonly<Partial<Record<Quota | 'installation', number>>>;
  organization: (organizationId: string) => UsageTally;
  installation: UsageTally;
  sizesOf: SizesOf;
}>;

/** A quota has too little left; `told` are members of the problem. */
export class QuotaExceeded extends DomainError {
  readonly told: Readonly<Record<string, unknown>>;
  constructor(message: string, told: Readonly<Record<string, unknown>>) {
    super('quota-exceeded', message);
    this.told = told;
  }
}

const COUNTED_MS = 10_000;
/** Before a refusal, and for whoever asks. */
export const COUNTED_AGAIN_MS = 1_000;

/** A body that replaces something and is not larger than this works over the quota. */
const SMALL_BODY = 1_024;

/** Problems with 503 of which it is known that nothing was written. */
const WRITTEN_NOTHING: ReadonlySet<string> = new Set([
  'event-store-unavailable',
  'event-store-refuses',
  'command-not-started',
]);

type Named = Readonly<{ project?: string; flag?: string; segment?: string }>;

/** Flags are also copied into another project. */
const projectOf = ({ params, body }: FastifyRequest): string | undefined => {
  const { toProject } = (body ?? {}) as { toProject?: string };
  return toProject ?? (params as Named).project;
};

/** Texts in lists are mostly keys, which are kept sealed. */
const SEALED_BYTES = 60;

const listedTexts = (value: unknown): number => {
  if (typeof value !== 'object' || value === null) return 0;
  const parts: readonly unknown[] = Object.values(value);
  const own = Array.isArray(value) ? parts.filter((part) => typeof part === 'string').length : 0;
  return parts.reduce<number>((sum, part) => sum + listedTexts(part), own);
};

/** As it was read, whatever it was packed into. */
const bodySize = ({ headers, body }: FastifyRequest): number =>
  headers['content-encoding'] === undefined && headers['content-length'] !== undefined
    ? Number(headers['content-length'])
    : Buffer.byteLength(JSON.stringify(body ?? null));

/** Bytes that a body adds to a stored state. */
const storedSize = (request: FastifyRequest): number =>
  bodySize(request) + SEALED_BYTES * listedTexts(request.body);

const keysIn = (value: unknown): readonly string[] =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];

const isSmallChange = (request: FastifyRequest): boolean =>
  request.method !== 'POST' && bodySize(request) <= SMALL_BODY;

/** A PUT brings the whole content of what its address names. */
const contentOf = ({ method, url }: FastifyRequest): string | undefined =>
  method === 'PUT' ? url.split('?', 1)[0] : undefined;

const nameOf = (quota: Quota, project: string): string =>
  quota === 'flags' || quota === 'segments' ? `${quota}:${project}` : quota;

/** What a request adds to an organization's usage. */
const planner =
  ({ sizesOf }: Pick<Quotas, 'sizesOf'>) =>
  async (request: FastifyRequest, tally: UsageTally): Promise<Amounts> => {
    const { one, bytes: from } = request.routeOptions.config.quota ?? {};
    const { organizationId } = request.caller;
    const { flag = '', segment = '', project: home = '' } = request.params as Named;
    const project = projectOf(request) ?? '';
    const copies = Math.max(1, tally.used(`environments:${project}`));
    const live = tally.used(`live:${project}`);
    const amounts = new Map<string, number>();
    const sizeOf = (kind: 'flag' | 'segment', keys: readonly string[]) =>
      sizesOf(kind, { organizationId, project: home, keys });

    /** What the project has already is replaced. */
    const ofFile = async (): Promise<number> => {
      const file = request.body as Readonly<Record<string, unknown>>;
      const [flags, segments] = [keysIn(file['flags']), keysIn(file['$evaluators'])];
      const [here, shared] = [await sizeOf('flag', flags), await sizeOf('segment', segments)];
      amounts.set(`flags:${project}`, flags.length - here.live);
      amounts.set(`segments:${project}`, segments.length - shared.live);
      return storedSize(request) - here.bytes - shared.bytes;
    };

    /** Each environment gets a copy; one that is added soon gets another. */
    const copied = (bytes: number): number => {
      amounts.set(`live:${project}`, bytes);
      return bytes * copies;
    };

    const added: Readonly<Record<BytesFrom, () => number | Promise<number>>> = {
      body: () => copied(isSmallChange(request) ? 0 : storedSize(request)),
      flag: async () => copied((await sizeOf('flag', [flag])).bytes),
      segment: async () => copied((await sizeOf('segment', [segment])).bytes),
      file: async () => copied(await ofFile()),
      environment: () => {
        amounts.set(`environments:${project}`, 1);
        return live;
      },
      project: () => live * (copies - 1),
      batch: () => live,
    };
    if (from !== undefined) amounts.set('bytes', await added[from]());
    if (one !== undefined) amounts.set(nameOf(one, project), 1);
    return new Map([...amounts].filter(([, amount]) => amount > 0));
  };

const refusalBy = (name: string, used: number, asked: number, limit: number): QuotaExceeded => {
  const [quota = '', project] = name.split(':');
  const whose = project === undefined ? 'The organization' : `The project '${project}'`;
  const less = quota === 'bytes' ? 'Make flags or segments smaller, or delete' : 'Delete or revoke';
  return new QuotaExceeded(
    `${whose} has ${used} of ${limit} ${quota}, and this asks for ${asked} more. ${less} what is not needed, or ask the operator of this service for a higher quota.`,
    { quota, ...(project !== undefined && { project }), used, asked, limit },
  );
};

const OF_INSTALLATION =
  'This installation holds as much configuration as it can. Delete what is not needed, or ask its operator for more room.';

/** Holds organizations to their quotas before a command is decided; comes after all that checks a request. */
export const enforceQuotas = (app: FastifyInstance, quotas?: Quotas): void => {
  app.decorateRequest('settleUsage', undefined);
  app.decorateRequest('writtenAt', undefined);
  if (quotas === undefined) return;
  const { limits, installation, organization } = quotas;
  const plan = planner(quotas);
  const limitOf = (name: string): number => limits[name.split(':', 1)[0] as Quota] ?? Infinity;

  const refusalOf = (
    request: FastifyRequest,
    tally: UsageTally,
    amounts: Amounts,
  ): QuotaExceeded | undefined => {
    const { config } = request.routeOptions;
    const usedIn = (one: UsageTally, name: string): number =>
      one.used(name) - one.replaced(contentOf(request), name);
    // A batch is refused only when nothing is left.
    const askedOf = (amount: number): number => (config.quota?.bytes === 'batch' ? 1 : amount);
    for (const [name, amount] of amounts) {
      const [used, asked, limit] = [usedIn(tally, name), askedOf(amount), limitOf(name)];
      if (used + asked > limit) return refusalBy(name, used, asked, limit);
    }
    const [used, asked] = [usedIn(installation, 'bytes'), askedOf(amounts.get('bytes') ?? 0)];
    const limit = limits.installation ?? Infinity;
    if (!amounts.has('bytes') || used + asked <= limit) return undefined;
    request.log.warn(
      { used, asked, limit },
      'the installation holds as much configuration as it may',
    );
    return new QuotaExceeded(OF_INSTALLATION, { quota: 'installation', asked });
  };

  app.addHook('preHandler', async (request) => {
    if (request.routeOptions.config.quota === undefined) return;
    const tally = organization(request.caller.organizationId);
    const refresh = async (ageMs: number, waits: boolean): Promise<void> => {
      await Promise.all([tally, installation].map((one) => one.refresh(ageMs, waits)));
    };
    await refresh(COUNTED_MS, false);
    const amounts = await plan(request, tally);
    if (refusalOf(request, tally, amounts) !== undefined) await refresh(COUNTED_AGAIN_MS, true);
    const refusal = refusalOf(request, tally, amounts);
    if (refusal !== undefined) {
      // What was written already is answered again.
      if (await isRepeat(request)) return;
      throw refusal;
    }
    if ((request.query as { dryRun?: boolean }).dryRun === true) return;
    const settles = [tally, installation].map((one) => one.take(amounts, contentOf(request)));
    request.settleUsage = (position) => {
      for (const settle of settles) settle(position);
    };
  });

  app.addHook('preSerialization', async (request, _, payload) => {
    if (request.settleUsage !== undefined) request.writtenAt = positionIn(payload);
    return payload;
  });

  app.addHook('onResponse', async (request, reply) => {
    const { problemCode = '', settleUsage, writtenAt } = request;
    const isRefused = reply.statusCode >= 400 && reply.statusCode < 500;
    const isNothing =
      isRefused || WRITTEN_NOTHING.has(problemCode) || reply.hasHeader('idempotency-replayed');
    settleUsage?.(isNothing ? null : writtenAt);
  });
};

type Written = Readonly<{ position?: Position; result?: string }>;
type Answer = Written & Readonly<{ flags?: readonly Written[]; segments?: readonly Written[] }>;

/** The last position that an answer tells of what was written; null: nothing was, undefined: it does not say. */
const positionIn = (payload: unknown): Position | null | undefined => {
  const { flags, segments, ...one } = payload as Answer;
  if (flags === undefined) return one.result === 'unchanged' ? null : one.position;
  const positions = [...flags, ...(segments ?? [])].flatMap(({ position }) => position ?? []);
  return positions.length === 0 ? null : positions.reduce(later);
};
