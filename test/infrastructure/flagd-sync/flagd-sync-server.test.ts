import { Client, credentials, type ClientReadableStream, Metadata, status } from '@grpc/grpc-js';
import { once } from 'node:events';
import { test, type Test } from 'tap';
import { type ApplicationKey } from '../../../src/domain/api-key.js';
import { documentsOf } from '../../../src/infrastructure/flagd-sync/documents.js';
import { startFlagdSync } from '../../../src/infrastructure/flagd-sync/server.js';
import { rulesetMemory } from '../../../src/queries/evaluation/ruleset-memory.js';
import { compileRegex } from '../../support/evaluation.js';
import { aRuleset } from '../../support/rulesets.js';

const ENVIRONMENT = 'acme:shop:production';
const OTHER = 'acme:shop:staging';

const aKey = (keyId: string, kind: ApplicationKey['kind']): ApplicationKey => ({
  keyId,
  kind,
  organizationId: 'acme',
  environmentId: ENVIRONMENT,
});

const running = async (t: Test) => {
  const memory = rulesetMemory({ compileRegex });
  const keys = new Map([
    ['server', aKey('1', 'server')],
    ['client', aKey('2', 'client')],
  ]);
  let position = 0;
  /** One flag, described by the variant that it serves. */
  const publish = (variant: string, environment = ENVIRONMENT): void => {
    position += 1;
    const flag = aRuleset('f', { configuration: { fallthrough: { variant } } });
    const contents = { isComplete: false, flags: new Map([['f', flag]]), segments: new Map() };
    const environments = new Map([[environment, contents]]);
    memory.publish({ source: 'redis', position, isComplete: false, environments });
  };
  publish('on');
  const sync = await startFlagdSync({
    host: '127.0.0.1',
    port: 0,
    documents: documentsOf(memory),
    verifyKey: (key) => keys.get(key),
    isValid: (keyId) => [...keys.values()].some((key) => key.keyId === keyId),
  });
  const client = new Client(`127.0.0.1:${sync.port}`, credentials.createInsecure());
  t.teardown(async () => {
    client.close();
    await sync.stop();
  });
  return { ...sync, client, publish, revoke: () => keys.delete('server'), memory };
};

const asIs = (bytes: Buffer): Buffer => bytes;

const metadataOf = (name: string, value: string): Metadata => {
  const metadata = new Metadata();
  metadata.set(name, value);
  return metadata;
};

const follow = (
  client: Client,
  metadata: Metadata,
  request: Buffer = Buffer.alloc(0),
): ClientReadableStream<Buffer> =>
  client.makeServerStreamRequest(
    '/flagd.sync.v1.FlagSyncService/SyncFlags',
    asIs,
    asIs,
    request,
    metadata,
  );

const next = async (stream: ClientReadableStream<Buffer>): Promise<string> => {
  const [message] = (await once(stream, 'data')) as [Buffer];
  return String(message);
};

const codeOf = async (stream: ClientReadableStream<Buffer>): Promise<number> => {
  const [error] = (await once(stream, 'error')) as [{ code: number }];
  return error.code;
};

const KEY = metadataOf('authorization', 'Bearer server');

test('a stream has the document at once and after every change that alters it', async (t) => {
  const { client, publish } = await running(t);
  const stream = follow(client, KEY);
  t.match(await next(stream), /"defaultVariant":"on"/);
  publish('on');
  publish('off', OTHER);
  publish('off');
  t.match(await next(stream), /"defaultVariant":"off"/, 'what alters nothing is not sent');
  stream.on('error', () => undefined).cancel();
});

test('a key is found wherever a provider can put it', async (t) => {
  const { client } = await running(t);
  const places: readonly (readonly [Metadata, Buffer])[] = [
    [KEY, Buffer.alloc(0)],
    [metadataOf('x-api-key', 'server'), Buffer.alloc(0)],
    [metadataOf('flagd-selector', 'server'), Buffer.alloc(0)],
    [new Metadata(), Buffer.from('\x12\x06server')],
  ];
  t.plan(places.length);
  for (const [metadata, request] of places) {
    const stream = follow(client, metadata, request);
    t.match(await next(stream), /"f"/);
    stream.on('error', () => undefined).cancel();
  }
});

test('no key, a client key and a key that was revoked are refused', async (t) => {
  const { client, revoke, checkKeys } = await running(t);
  t.equal(await codeOf(follow(client, new Metadata())), status.UNAUTHENTICATED);
  t.equal(await codeOf(follow(client, metadataOf('x-api-key', 'client'))), status.UNAUTHENTICATED);
  const stream = follow(client, KEY);
  await next(stream);
  revoke();
  checkKeys();
  t.equal(await codeOf(stream), status.UNAUTHENTICATED);
});

test('an environment that goes away ends its streams', async (t) => {
  const { client, memory } = await running(t);
  const stream = follow(client, KEY);
  await next(stream);
  const environments = new Map([[ENVIRONMENT, null]]);
  memory.publish({ source: 'redis', position: 100, isComplete: false, environments });
  t.equal(await codeOf(stream), status.NOT_FOUND);
});

test('streams end when the service stops', async (t) => {
  const { client, stop } = await running(t);
  const stream = follow(client, KEY);
  await next(stream);
  const [code] = await Promise.all([codeOf(stream), stop()]);
  t.equal(code, status.UNAVAILABLE);
});

test('a slow reader gets the newest document, not all that it missed', async (t) => {
  const { client, memory } = await running(t);
  const big = 'x'.repeat(200_000);
  const stream = follow(client, KEY);
  const messages = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  await messages.next();
  for (let position = 10; position < 60; position += 1) {
    const variants = [{ name: 'on', value: `${position}${big}` }];
    const flag = aRuleset('f', { type: 'string', variants });
    const contents = { isComplete: true, flags: new Map([['f', flag]]), segments: new Map() };
    const environments = new Map([[ENVIRONMENT, contents]]);
    memory.publish({ source: 'redis', position, isComplete: false, environments });
  }
  let sent = 0;
  for (let last = ''; !last.includes('"59xxx'); sent += 1) {
    last = String(((await messages.next()) as { value: Buffer }).value);
  }
  t.ok(sent < 30, `${sent} of 50 were sent`);
  stream.on('error', () => undefined).cancel();
});

test('FetchAllFlags answers the document, GetMetadata nothing', async (t) => {
  const { client } = await running(t);
  const ask = (method: string, metadata: Metadata): Promise<string> =>
    new Promise((resolve) => {
      const path = `/flagd.sync.v1.FlagSyncService/${method}`;
      client.makeUnaryRequest(path, asIs, asIs, Buffer.alloc(0), metadata, (error, answer) => {
        resolve(error === null ? String(answer) : String(error.code));
      });
    });
  t.match(await ask('FetchAllFlags', KEY), /"f"/);
  t.equal(await ask('FetchAllFlags', new Metadata()), String(status.UNAUTHENTICATED));
  t.equal(await ask('GetMetadata', KEY), '');
});
