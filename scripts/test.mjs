// npm test                  everything: lint, types, import rules, build, all tests
// npm test -- FILE ...      only these test files
// npm run test:faults       only test/faults/, at full length (FAULTS=long)
// npm run test:faults -- FILE ...   only these, at full length
//
// Brings its own Postgres, Redis and event store (on free ports, data in .data/test-<pid>/), gives their URLs to the
// tests as TEST_DATABASE_URL, TEST_REDIS_URL and TEST_EVENTSTORE_URL, and leaves nothing behind. The last line is
// `N passed, N failed`: tap's own count of assertions, and one more failed for each step that failed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildIfStale, prepare, root, runScript, SetupError } from './bootstrap.mjs';
import { watchForLeftovers } from './leftovers.mjs';
import { requireNoSecrets } from './secrets.mjs';

// They take 7 minutes on 2 quiet cores; this is for what hangs.
const TESTS_LIMIT_MS = 20 * 60_000;
// One of them is an hour of ordinary work.
const FAULTS_FILE_LIMIT_S = 7_200;
const EVENT_STORE = join(root, 'dist', 'embedded', 'event-store', 'main.js');

const args = process.argv.slice(2);
const isFaults = args.includes('--faults');
const chosen = args.filter((arg) => arg !== '--faults');
const isWhole = !isFaults && chosen.length === 0;

const dataDirectory = join(root, '.data', `test-${process.pid}`);
const evidence = join(dataDirectory, 'evidence');
const compileCache = join(root, 'node_modules', '.cache', 'compiled');
const marker = `CHRONOFLAG_TEST_RUN=${process.pid}-${Date.now()}`;
const failedSteps = [];
let isInterrupted = false;
const children = new Set();

const interrupt = () => {
  isInterrupted = true;
  for (const child of children) child.kill('SIGTERM');
};
process.on('SIGINT', interrupt).on('SIGTERM', interrupt);

/** Runs a program to its end, or to our own; resolves with its exit code. */
const runToEnd = async (child) => {
  children.add(child);
  const [code] = await once(child, 'close');
  children.delete(child);
  return code;
};

/** Runs one step and prints how long it took; a step fails by throwing. Gives what it gives. */
const step = async (name, action) => {
  if (isInterrupted) return undefined;
  const startedAt = performance.now();
  const report = (mark) =>
    console.log(`${mark} ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  try {
    const result = await action();
    report(result?.failed > 0 ? '✖' : '✔');
    return result;
  } catch (error) {
    report('✖');
    console.log(error.message);
    failedSteps.push(name);
    return undefined;
  }
};

/** Runs an npm script quietly, with the time that tests leave; throws with all it wrote when it fails. */
const npmScript = async (name) => {
  const child = spawn('nice', ['-n', '19', 'npm', 'run', '--silent', name], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => (output += chunk));
  if ((await runToEnd(child)) !== 0) throw new Error(output);
};

const hasKnip = () =>
  ['knip.json', 'knip.jsonc', 'knip.ts', 'knip.js'].some((file) => existsSync(join(root, file))) ||
  'knip' in JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/**
 * Beside the tests, which wait much of their time. Two at a time: the linter with all its types takes as long as the
 * others together.
 */
const checkSources = () =>
  Promise.all([
    step('lint', () => npmScript('lint')),
    (async () => {
      await step('types', () => npmScript('lint:types'));
      await step('import rules', () => npmScript('lint:deps'));
      if (hasKnip()) await step('unused code', () => npmScript('lint:unused'));
    })(),
  ]);

const TAP = join(root, 'node_modules', 'tap', 'dist', 'esm', 'run.mjs');
const TAP_BUILT = join(root, 'node_modules', '@tapjs', 'test', 'test-built', 'dist', 'esm');

/** tap itself finds out too late: a first run after an installation would still have the plugin that .taprc leaves out. */
const buildTap = async () => {
  if (!readFileSync(join(TAP_BUILT, 'index.js'), 'utf8').includes('@tapjs/typescript')) return;
  const child = spawn(process.execPath, [TAP, 'build'], { cwd: root, stdio: 'ignore' });
  if ((await runToEnd(child)) !== 0) throw new Error('tap could not be built; run: npx tap build');
};

const startStack = async () => {
  const { startLocalStack } = await import(
    pathToFileURL(join(root, 'dist', 'embedded', 'stack', 'stack.js')).href
  );
  const stack = await startLocalStack({
    dataDirectory,
    needs: { postgres: true, redis: true, eventStore: existsSync(EVENT_STORE) },
    log: { info: (line) => console.log(line), warn: (line) => console.log(line) },
  });
  return stack;
};

const environment = ({ databaseUrl, redisUrl, eventStoreUrl }) => {
  const [name, value] = marker.split('=');
  const urls = {
    TEST_DATABASE_URL: databaseUrl,
    TEST_REDIS_URL: redisUrl,
    TEST_EVENTSTORE_URL: eventStoreUrl,
  };
  const given = Object.entries(urls).filter(([, url]) => url !== undefined);
  return {
    ...process.env,
    ...Object.fromEntries(given),
    [name]: value,
    TEST_EVIDENCE: evidence,
    // What is compiled once need not be compiled again in hundreds of processes (Node 22 and later).
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? compileCache,
    ...(isFaults ? { FAULTS: 'long' } : {}),
  };
};

/** tap ends its output with the comment `# { total: 3, pass: 2, fail: 1 }`; without one it did not get to the end. */
const countsIn = (file) => {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const summary = text.match(/^# (\{ total: .*\})$/m)?.[1] ?? '';
  const count = (key) => Number(summary.match(new RegExp(`\\b${key}: (\\d+)`))?.[1] ?? 0);
  return {
    isComplete: summary !== '',
    passed: count('pass'),
    failed: count('fail'),
    skipped: count('skip') + count('todo'),
  };
};

/** Every assertion that failed, with what tap tells of it: on a terminal tap has shown it already. */
const printFailures = (file) => {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  for (let at = 0; at < lines.length; at += 1) {
    if (!/^\s*not ok /.test(lines[at])) continue;
    const hasDetails = lines[at + 1]?.trim() === '---';
    const end = hasDetails ? lines.findIndex((line, nth) => nth > at && line.trim() === '...') : at;
    console.log(lines.slice(at, end + 1).join('\n'));
    at = Math.max(at, end);
  }
};

const runTap = async (stack) => {
  const outputFile = join(dataDirectory, 'tests.tap');
  const files = isFaults && chosen.length === 0 ? ['test/faults/**/*.test.ts'] : chosen;
  const options = [
    `--output-file=${outputFile}`,
    ...(isFaults ? [`--timeout=${FAULTS_FILE_LIMIT_S}`] : []),
    ...(process.stdout.isTTY ? [] : ['--reporter=min']),
  ];
  const child = spawn(process.execPath, [TAP, ...options, ...files], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: environment(stack),
  });
  const limit = isFaults ? undefined : setTimeout(() => child.kill('SIGTERM'), TESTS_LIMIT_MS);
  const code = await runToEnd(child);
  clearTimeout(limit);
  const counts = countsIn(outputFile);
  if (!process.stdout.isTTY) printFailures(outputFile);
  const isUnexplained = code !== 0 && counts.failed === 0;
  if (!counts.isComplete || isUnexplained)
    failedSteps.push(`tests (tap ended with ${code ?? 'a signal'})`);
  return counts;
};

const runTests = async () => {
  const none = { passed: 0, failed: 0, skipped: 0 };
  const findLeftovers = watchForLeftovers(marker, [
    dataDirectory,
    join(root, '.data', 'stack-'),
    join(root, '.data', 'faults-'),
    join(root, '.tap'),
  ]);
  const stack = await step('services', startStack);
  if (stack === undefined) return none;
  let counts = none;
  mkdirSync(evidence, { recursive: true });
  try {
    counts = (await step('tests', () => runTap(stack))) ?? none;
  } finally {
    await stack.stop();
  }
  await step('no secret in a log or a store', async () => {
    requireNoSecrets(evidence);
  });
  await step('nothing left running', async () => {
    const leftovers = await findLeftovers();
    for (const { pid } of leftovers) process.kill(pid, 'SIGKILL');
    if (leftovers.length > 0)
      throw new Error(leftovers.map(({ pid, command }) => `${pid} ${command}`).join('\n'));
  });
  return counts;
};

const isAlive = (pid) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Folders of runs that were killed. */
const removeOldData = () => {
  mkdirSync(join(root, '.data'), { recursive: true });
  for (const name of readdirSync(join(root, '.data'))) {
    const pid = Number(/^test-(\d+)$/.exec(name)?.[1]);
    if (pid && !isAlive(pid)) rmSync(join(root, '.data', name), { recursive: true, force: true });
  }
};

await runScript(async () => {
  const installed = await step('packages', () => {
    prepare();
    return true;
  });
  if (!installed) throw new SetupError('0 passed, 1 failed');
  removeOldData();
  const checked = isWhole ? checkSources() : undefined;
  const built = await step('build', async () => {
    await Promise.all([buildIfStale(), buildTap()]);
    return true;
  });
  let counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    if (built) counts = await runTests();
  } finally {
    rmSync(dataDirectory, { recursive: true, force: true });
  }
  await checked;
  if (isInterrupted) failedSteps.push('interrupted');
  for (const name of failedSteps) console.log(`failed: ${name}`);
  const failed = counts.failed + failedSteps.length;
  process.exitCode = failed === 0 ? 0 : 1;
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  console.log(`${counts.passed} passed, ${failed} failed${skipped}`);
});
