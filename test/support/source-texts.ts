import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';

const SOURCES = new URL('../../src/', import.meta.url);

/** In a source file: a regular expression, a text with the file's constants filled in, or the name of a property. */
export type SourceText = Readonly<{
  file: string;
  line: number;
  kind: 'regex' | 'text' | 'name';
  text: string;
}>;

const constantsOf = (source: ts.SourceFile): ReadonlyMap<string, ts.Expression> => {
  const constants = new Map<string, ts.Expression>();
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer)
      constants.set(node.name.text, node.initializer);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return constants;
};

/** What is not a constant of the file stays as it is written. */
const textOf = (
  node: ts.Node,
  constants: ReadonlyMap<string, ts.Expression>,
): string | undefined => {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  const spans = node.templateSpans.map(({ expression, literal }) => {
    const constant = ts.isIdentifier(expression) ? constants.get(expression.text) : undefined;
    const filled = constant && textOf(constant, constants);
    return `${filled ?? `\${${expression.getText()}}`}${literal.text}`;
  });
  return node.head.text + spans.join('');
};

const textsOf = (file: string): readonly SourceText[] => {
  const content = readFileSync(new URL(file, SOURCES), 'utf8');
  const source = ts.createSourceFile(file, content, ts.ScriptTarget.Latest, true);
  const constants = constantsOf(source);
  const found: SourceText[] = [];
  const visit = (node: ts.Node): void => {
    const isRegex = ts.isRegularExpressionLiteral(node);
    const text = isRegex ? node.text : textOf(node, constants);
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    if (ts.isPropertyAssignment(node))
      found.push({ file, line, kind: 'name', text: node.name.getText() });
    if (text !== undefined) found.push({ file, line, kind: isRegex ? 'regex' : 'text', text });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
};

/** All of them in the files under a folder of src. */
export const sourceTexts = (folder = ''): readonly SourceText[] =>
  readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.startsWith(folder) && file.endsWith('.ts'))
    .toSorted()
    .flatMap(textsOf);
