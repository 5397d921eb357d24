import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { test } from 'tap';
import { parse } from 'yaml';

type Service = {
  image?: string;
  build?: string;
  environment?: Record<string, string>;
  volumes?: string[];
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
};
type Compose = { services: Record<string, Service>; volumes: Record<string, unknown> };

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const compose = parse(read('docker-compose.yml')) as Compose;
const { chronoflag, ...backing } = compose.services;

/** The instructions of a Dockerfile, each on one line, without comments. */
const instructions = read('Dockerfile')
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '');

const PINNED = /:v?\d+\.\d+\.\d+|:\d+\.\d+-/;

test('every image has a pinned version', async (t) => {
  for (const [name, { image = '' }] of Object.entries(backing)) t.match(image, PINNED, name);
  const bases = instructions.filter((line) => line.startsWith('FROM '));
  t.equal(bases.length, 2, 'the Dockerfile has two stages');
  for (const base of bases) t.match(base, PINNED);
});

test('the image has the Node that CI runs all tests on', async (t) => {
  const [, newest = 'none'] = /^readonly NEWEST=(\S+)$/m.exec(read('.ci/run')) ?? [];
  for (const base of instructions.filter((line) => line.startsWith('FROM ')))
    t.match(base, `node:${newest}-`);
});

test('every service tells its health and keeps its data in a named volume', async (t) => {
  const isNamed = (volume: string) => Object.hasOwn(compose.volumes, volume.split(':')[0] ?? '');
  for (const [name, { healthcheck, volumes = [] }] of Object.entries(backing)) {
    t.ok(healthcheck?.test.length, `${name}: health check`);
    t.ok(volumes.some(isNamed), `${name}: named volume`);
    for (const volume of volumes.filter((one) => !isNamed(one))) {
      const [path = ''] = volume.split(':');
      t.ok(existsSync(new URL(`../../${path}`, import.meta.url)), `${path} is in the repository`);
    }
  }
  t.ok(chronoflag?.volumes?.every(isNamed));
});

test('the service is given the addresses of its backing services and waits for their health', async (t) => {
  const environment = chronoflag?.environment ?? {};
  for (const [variable, scheme] of [
    ['EVENTSTORE_URL', 'esdb:'],
    ['DATABASE_URL', 'postgres:'],
    ['REDIS_URL', 'redis:'],
  ] as const) {
    const text = environment[variable] ?? '';
    const { protocol, hostname } = new URL(text.replace(/\$\{\w+:-(\w+)\}/g, '$1'));
    t.equal(protocol, scheme);
    t.equal(chronoflag?.depends_on?.[hostname]?.condition, 'service_healthy', hostname);
  }
});

test('the image runs the built service as another user than root', async (t) => {
  const final = instructions.slice(instructions.findLastIndex((line) => line.startsWith('FROM ')));
  t.ok(final.includes('USER node'));
  t.ok(final.includes('CMD ["node", "dist/main.js"]'));
  t.ok(instructions.includes('RUN npm ci --omit=dev'));
});

test('the health check of the image is what /health says', async (t) => {
  const line = instructions.find((one) => one.startsWith('HEALTHCHECK ')) ?? '';
  const [, command = '[]'] = /CMD (\[.*\])$/.exec(line) ?? [];
  const [, ...args] = JSON.parse(command) as string[];
  let status = 200;
  const service = createServer(({ url }, response) => {
    response.writeHead(url === '/health' ? status : 404).end();
  });
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
  const { port } = service.address() as AddressInfo;
  const exitCode = async () => {
    const child = spawn(process.execPath, args, { env: { PORT: String(port) }, stdio: 'ignore' });
    return ((await once(child, 'exit')) as [number])[0];
  };
  t.equal(await exitCode(), 0, 'well');
  status = 503;
  t.equal(await exitCode(), 1, 'ill');
  service.close();
  t.equal(await exitCode(), 1, 'gone');
});

test('what the image is made of is not kept from it', async (t) => {
  const given = read('.dockerignore')
    .split('\n')
    .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
  const copied = instructions
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap((line) => line.split(' ').slice(1, -1));
  t.strictSame(new Set(copied), new Set(given));
});

test('Prometheus scrapes the service with the token it was given', async (t) => {
  const prometheus = parse(read('ops/prometheus/prometheus.yml')) as {
    scrape_configs: {
      static_configs: { targets: string[] }[];
      authorization: { credentials_file: string };
    }[];
  };
  const [scrape] = prometheus.scrape_configs;
  t.strictSame(scrape?.static_configs, [{ targets: ['chronoflag:3000'] }]);
  t.equal(scrape?.authorization.credentials_file, '/etc/prometheus/metrics-token');
  t.match(read('docker-compose.yml'), 'target: /etc/prometheus/metrics-token');
});
