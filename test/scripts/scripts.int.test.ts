import { spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test, type Test } from 'tap';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A repository with our scripts, local stack and packages, and with the sources given. Removed after the test. */
const repository = (t: Test, sources: Record<string, string>): string => {
  mkdirSync(join(root, '.data'), { recursive: true });
  const folder = mkdtempSync(join(root, '.data', 'stack-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  for (const path of [
    'package.json',
    'package-lock.json',
    '.taprc',
    'tsconfig.json',
    'scripts',
    'src/embedded',
  ]) {
    cpSync(join(root, path), join(folder, path), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [path, text] of Object.entries(sources)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
};

// Without what tap tells its own children, so that a tap in a script is the outermost.
const environment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(TAP|_TAP|NODE_OPTIONS|TEST_|CHRONOFLAG_)/.test(name),
  ),
);

const run = async (
  folder: string,
  ...args: string[]
): Promise<{ code: number | null; output: string }> => {
  const child = spawn(process.execPath, args, { cwd: folder, env: environment });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
};

test('start builds what has changed and runs the program with its arguments and its exit code', async (t) => {
  const main = (answer: string) =>
    `const args: string[] = process.argv.slice(2);\nconsole.log('${answer}', ...args);\nprocess.exitCode = args.length;\n`;
  const folder = repository(t, { 'src/main.ts': main('first') });
  const start = () => run(folder, 'scripts/start.mjs', 'dist/main.js', '--help', 'me');
  t.strictSame(await start(), { code: 2, output: 'first --help me\n' });
  writeFileSync(join(folder, 'src/main.ts'), main('other'));
  t.strictSame(await start(), { code: 2, output: 'other --help me\n' });
  rmSync(join(folder, 'src/main.ts'));
  t.strictSame(await start(), {
    code: 1,
    output: 'dist/main.js is not there; is its source in src/?\n',
  });
});

const linesOf = ({ output }: { output: string }) => output.trimEnd().split('\n');

test('the last line of a test run is the count of its assertions, and nothing is left of it', async (t) => {
  const folder = repository(t, {
    'test/good.test.ts': `import { test } from 'tap';
      import { Redis } from 'ioredis';
      test('has services', async (t) => {
        const redis = new Redis(process.env['TEST_REDIS_URL'] ?? '');
        t.equal(await redis.ping(), 'PONG');
        redis.disconnect();
        t.match(process.env['TEST_DATABASE_URL'], /^postgres:/);
      });`,
  });
  const good = await run(folder, 'scripts/test.mjs', 'test/good.test.ts');
  t.equal(linesOf(good).at(-1), '2 passed, 0 failed');
  t.equal(good.code, 0);
  t.strictSame(readdirSync(join(folder, '.data')), []);
});

test('a failed assertion, a file that does not end well and a process that is left all fail the run', async (t) => {
  const folder = repository(t, {
    'test/bad.test.ts': `import { test } from 'tap';
      import { spawn } from 'node:child_process';
      test('is wrong', async (t) => { t.equal(1, 2); t.ok(true); });
      test('leaves a process', async (t) => {
        spawn('sleep', ['600'], { detached: true, stdio: 'ignore' }).unref();
        t.ok(true);
      });`,
    'test/broken.test.ts': `throw new Error('broken');`,
  });
  const wrong = await run(folder, 'scripts/test.mjs', 'test/bad.test.ts');
  t.match(wrong.output, /^\d+ sleep 600/m, 'it is named');
  t.equal(
    linesOf(wrong).at(-1),
    '2 passed, 2 failed',
    'one assertion, and the step that looks for leftovers',
  );
  t.equal(wrong.code, 1);
  const broken = await run(folder, 'scripts/test.mjs', 'test/broken.test.ts');
  t.match(linesOf(broken).at(-1), /^0 passed, [1-9]\d* failed$/);
  t.equal(broken.code, 1);
});
