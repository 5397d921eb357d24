import { type Row, type Table } from '../projection.js';

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

const escaped = (text: string): string =>
  text.replace(/[\\\n\r\t]/g, (character) => ESCAPES[character] ?? character);

const arrayLiteral = (items: readonly unknown[]): string =>
  `{${items.map((item) => `"${String(item).replace(/["\\]/g, '\\$&')}"`).join(',')}}`;

const textOf = (value: unknown, type: string | undefined): string => {
  if (value === null || value === undefined) return '\\N';
  if (Array.isArray(value) && type !== 'jsonb') return escaped(arrayLiteral(value));
  return escaped(typeof value === 'string' && type !== 'jsonb' ? value : JSON.stringify(value));
};

/** Rows as the text format of Postgres's COPY. */
export const copyLines = ({ columns }: Table, rows: readonly Row[]): string => {
  const types = Object.entries(columns);
  return rows
    .map((row) => `${types.map(([column, type]) => textOf(row[column], type)).join('\t')}\n`)
    .join('');
};
