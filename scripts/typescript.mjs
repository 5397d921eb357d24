// node --import=./scripts/typescript.mjs FILE.ts   runs TypeScript as it lies there, for tests.
//
// Node 22.18 and later leave out the types by themselves, and start a test that imports the service in a third of the
// time that tsx takes; only `./x.js` in an import has to become `./x.ts`. Older ones have tsx.
import module from 'node:module';

const asTypeScript = (specifier, context, next) => {
  const isOurs = specifier.startsWith('.') && context.parentURL?.endsWith('.ts');
  return next(isOurs ? specifier.replace(/\.js$/, '.ts') : specifier, context);
};

if (process.features.typescript && module.registerHooks) {
  module.registerHooks({ resolve: asTypeScript });
} else {
  await import('tsx');
}
