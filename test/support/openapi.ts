import { type Permission } from '../../src/domain/access/permission.js';

export type Schema = Readonly<Record<string, unknown>>;

type Content = Readonly<Record<string, Readonly<{ schema: Schema }>>>;

export type Parameter = Readonly<{
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  schema: Schema;
}>;

type Operation = Readonly<{
  operationId: string;
  summary: string;
  tags: readonly string[];
  /** Who may call it: see docs/access.md. */
  'x-permission'?: Permission;
  'x-access'?: string;
  security?: readonly unknown[];
  parameters?: readonly Parameter[];
  requestBody?: Readonly<{ content: Content; required?: boolean }>;
  responses: Readonly<Record<string, Readonly<{ content?: Content }>>>;
}>;

/** The part of an OpenAPI document that the tests look at. */
export type ApiDocument = Readonly<{
  openapi: string;
  security: unknown;
  paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}>;

/** Every operation of a document, with its method and path. */
export const operationsOf = ({ paths }: ApiDocument) =>
  Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      operation,
      parameters: operation.parameters ?? [],
      requestBody: operation.requestBody,
      responses: operation.responses,
    })),
  );
