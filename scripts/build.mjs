// Transpiles src/ to dist/ file by file with esbuild; types are checked by `npm test`, not here.
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const typescriptFiles = (folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));

/** Replaces dist/ by a fresh transpilation of src/. The old one stays until the new one is complete. */
export const build = async () => {
  const { build: esbuild } = await import('esbuild');
  const fresh = join(root, '.cache', `build-${process.pid}`);
  mkdirSync(fresh, { recursive: true });
  try {
    await esbuild({
      entryPoints: typescriptFiles('src'),
      outdir: fresh,
      outbase: join(root, 'src'),
      platform: 'node',
      format: 'esm',
      target: 'node20',
      sourcemap: true,
      logLevel: 'warning',
    });
    rmSync(join(root, 'dist'), { recursive: true, force: true });
    renameSync(fresh, join(root, 'dist'));
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await build();
