import { type Test } from 'tap';
import { until } from '../../support/until.js';
import { ENVIRONMENT, type Load, type LoadOptions, PLACE, startLoad } from './load.js';
import { quiescence, readModelFacts, rulesetFacts } from './observe.js';
import { type FaultyServer, type Servers, startServers } from './servers.js';
import { type Answer, faultyService, type FaultyService, request } from './service.js';
import {
  commandFlaws,
  evaluationFlaws,
  expectedReadModel,
  expectedRulesets,
  factFlaws,
  type Log,
  logFlaws,
} from './verify.js';

/** `npm run test:faults` runs every experiment at full length. */
export const isLong = process.env['FAULTS'] === 'long';

export const byLength = <T>(short: T, long: T): T => (isLong ? long : short);

export const VARIANTS = Array.from({ length: 10 }, (_, nth) => `v${nth}`);
export const FLAGS = Array.from({ length: 5 }, (_, nth) => `flag-${nth}`);

export type Client = ReturnType<typeof clientOf>;

/** Requests as an admin, and evaluations as an application. */
export const clientOf = (url: () => string, credential: string, serverKey: string) => {
  const send = (
    method: string,
    path: string,
    { body, ...headers }: Readonly<Record<string, unknown>> = {},
  ): Promise<Answer> =>
    request(url() + path, {
      method,
      headers: {
        authorization: `Bearer ${credential}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(headers as Record<string, string>),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  return {
    credential,
    serverKey,
    send,
    command: (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
      send('PATCH', `${PLACE}/flags/${path}`, { body, ...headers }),
    createFlag: async (key: string): Promise<Answer> => {
      const variants = VARIANTS.map((name) => ({ name, value: name }));
      const body = { key, type: 'string', variants, defaultVariant: 'v0', offVariant: 'v0' };
      await send('POST', `${PLACE}/flags`, { body });
      return send('POST', `${PLACE}/flags/${key}/environments/${ENVIRONMENT}/enable`);
    },
    evaluate: (flag: string): Promise<Answer> =>
      send('GET', `${PLACE}/environments/${ENVIRONMENT}/evaluate/${flag}?targetingKey=u`, {
        authorization: `Bearer ${serverKey}`,
      }),
  };
};

export type Scenario = Readonly<{
  servers: Servers;
  service: FaultyService;
  /** Those that were asked for, in processes of their own. */
  projectors: readonly FaultyService[];
  client: Client;
}>;

type Environment = Readonly<Record<string, string>>;

/** Own servers, one running service, and the flags of the load, enabled and visible. */
export const startScenario = async (
  t: Test,
  given: Environment | ((servers: Servers) => Promise<Environment>) = {},
  projectorNames: readonly string[] = [],
  folder?: string,
): Promise<Scenario> => {
  const servers = await startServers(t, folder);
  const environment = typeof given === 'function' ? await given(servers) : given;
  const service = await faultyService(t, servers, { environment });
  await service.start();
  const projectors: FaultyService[] = [];
  for (const name of projectorNames) {
    const projector = await faultyService(t, servers, {
      name,
      environment: { ...environment, ROLE: 'projector' },
    });
    projectors.push(projector);
    await projector.start();
  }
  const client = clientOf(() => service.url, service.credential(), service.serverKey());
  for (const flag of FLAGS) await client.createFlag(flag);
  await until('the last flag is served', async () => {
    const { body } = await client.evaluate(FLAGS.at(-1)!);
    return body['variant'] === 'v0';
  });
  await service.untilReady();
  return { servers, service, projectors, client };
};

/** Ends with the test at the latest, whatever becomes of that. */
export const loadOn = (
  t: Test,
  { service, client }: Scenario,
  options: Partial<LoadOptions> = {},
): Load => {
  const load = startLoad({
    target: () => service.url,
    credential: client.credential,
    serverKey: client.serverKey,
    flags: FLAGS,
    variants: VARIANTS,
    commandsPerSecond: byLength(25, 80),
    evaluationsPerSecond: byLength(80, 400),
    ...options,
  });
  t.teardown(() => load.abandon());
  return load;
};

/** Waits until this many more commands are acknowledged. */
export const untilAcknowledged = async (load: Load, more: number): Promise<void> => {
  const enough = load.acknowledged() + more;
  const met = () => load.acknowledged() >= enough;
  await until(`${more} more commands are acknowledged`, met, byLength(20, 60));
};

/** The first few, so that a failure can be read. */
const some = (flaws: readonly string[]): readonly string[] => flaws.slice(0, 5);

/** I1 to I5 after quiescence. @returns the log */
export const checkInvariants = async (t: Test, servers: Servers, load: Load): Promise<Log> => {
  const log = await quiescence(servers);
  t.strictSame(some(commandFlaws(load.commands, log)), [], 'no command is lost or applied twice');
  t.strictSame(some(logFlaws(log)), [], 'the log has no gap and nothing twice');
  const held = await readModelFacts(servers, log);
  t.strictSame(some(factFlaws(held, expectedReadModel(log))), [], 'read model = fold of the log');
  const rulesets = await rulesetFacts(servers);
  t.strictSame(some(factFlaws(rulesets, expectedRulesets(log))), [], 'Redis = fold of the log');
  const wrong = evaluationFlaws(load.evaluations, log, { initialVariant: 'v0' });
  t.strictSame(some(wrong), [], 'every evaluation is right');
  const unknown = load.commands.filter(({ outcome }) => outcome === 'unknown').length;
  const statuses = new Map<unknown, number>();
  for (const status of load.commands.flatMap((command) => command.statuses))
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  t.comment(`answers to commands: ${JSON.stringify([...statuses])}`);
  t.comment(
    `${load.acknowledged()} acknowledged, ${unknown} unknown, ${load.evaluations.length} evaluations, ${load.skipped()} skipped`,
  );
  return log;
};

/** Waits until the load has been answered for a while, whatever the answers to commands. */
export const untilAnswered = async (load: Load, evaluations: number): Promise<void> => {
  const enough = load.evaluations.length + evaluations;
  await until(
    `${evaluations} more evaluations are answered`,
    () => load.evaluations.length >= enough,
  );
};

const nowDone = (work: () => void) => async (): Promise<void> => {
  work();
};

/** Every fault a server can have that its clients must survive, and how it is made and ended. */
export const faultsOf = ({ process, proxy }: FaultyServer) => {
  const pass = () => proxy.turn('pass');
  const most = [
    { name: 'killed', begin: process.kill, end: process.start },
    { name: 'paused', begin: nowDone(process.pause), end: nowDone(process.resume) },
    // What is stale stays so.
    { name: 'vanished', begin: () => proxy.turn('silent'), end: () => proxy.turn('stale') },
  ];
  const more = [
    { name: 'refusing', begin: () => proxy.turn('refuse'), end: pass },
    { name: 'half-open', begin: () => proxy.turn('silent'), end: pass },
  ];
  return byLength(most, [...most, ...more]);
};

/** An answer that came when it should not have, or took too long: bounds that no noise reaches, far below a hang. */
export const HANGING_MS = 6_000;

/** No attempt of a command hung, and while all is well none failed. */
export const checkAnswers = (t: Test, load: Load): void => {
  const slowest = load.commands.reduce((most, { slowestMs }) => Math.max(most, slowestMs), 0);
  t.ok(slowest < HANGING_MS, `no command hung: the slowest answer took ${Math.round(slowest)} ms`);
  const failed = load.evaluations.filter(({ status }) => status !== 200);
  t.equal(failed.length, 0, `all ${load.evaluations.length} evaluations were answered`);
};
