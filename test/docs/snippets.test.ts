import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'tap';
import ts from 'typescript';

const ROOT = new URL('../../', import.meta.url);
const DOCS = ['README.md', ...readdirSync(new URL('docs/', ROOT)).map((name) => `docs/${name}`)];

type Snippet = Readonly<{ page: string; text: string }>;

const snippetsIn = (page: string): readonly Snippet[] =>
  [...readFileSync(new URL(page, ROOT), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(
    ([, text = '']) => ({ page, text }),
  );

test('every TypeScript snippet of the docs compiles in a strict project', async (t) => {
  const snippets = DOCS.filter((page) => page.endsWith('.md')).flatMap(snippetsIn);
  t.ok(snippets.length > 0);
  const files = new Map(
    snippets.map(({ text }, nth) => [new URL(`test/docs/snippet-${nth}.ts`, ROOT).pathname, text]),
  );
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    moduleDetection: ts.ModuleDetectionKind.Force,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
    types: ['node'],
  };
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (file) => files.has(file) || disk.fileExists(file),
    readFile: (file) => files.get(file) ?? disk.readFile(file),
    getSourceFile: (file, ...rest) => {
      const text = files.get(file);
      return text === undefined
        ? disk.getSourceFile(file, ...rest)
        : ts.createSourceFile(file, text, ts.ScriptTarget.ES2022);
    },
  };
  const program = ts.createProgram([...files.keys()], options, host);
  const errors = ts.getPreEmitDiagnostics(program).map(({ messageText, file }) => {
    const nth = Number(/snippet-(\d+)/.exec(file?.fileName ?? '')?.[1]);
    return `${snippets[nth]?.page}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
  t.strictSame(errors, []);
});
