import { figure, machineLoad } from './numbers.js';

/** One line of the table. Texts, with their units; `holds` is absent where nothing is to be reached. */
export type Row = Readonly<{
  what: string;
  measured: string;
  /** The same machine in the same run, doing the least that could be done. */
  reference: string;
  ratio: string;
  target: string;
  holds?: boolean;
  /** Load average of the machine when the line was measured. */
  load: number;
}>;

const HEADINGS = ['what', 'ratio', 'measured', 'reference, same run', 'target', 'holds', 'load'];

const verdict = ({ holds }: Row): string => {
  if (holds === undefined) return '';
  return holds ? 'yes' : 'NO';
};

const cellsOf = (row: Row): readonly string[] => {
  const { what, measured, reference, ratio, target, load } = row;
  return [what, ratio, measured, reference, target, verdict(row), load.toFixed(1)];
};

/** The rows as a Markdown table, which is a table in a terminal as well. */
export const tableOf = (rows: readonly Row[]): string => {
  const all = [HEADINGS, ...rows.map(cellsOf)];
  const widths = HEADINGS.map((_, nth) => Math.max(...all.map((cells) => cells[nth]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, nth) => cell.padEnd(widths[nth] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = all;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
};

/** Fills in what all rows have. */
export const row = (what: string, rest: Partial<Omit<Row, 'what' | 'load'>>): Row => ({
  what,
  measured: '',
  reference: '',
  ratio: '',
  target: '',
  ...rest,
  load: machineLoad(),
});

export const times = (ratio: number): string => `${figure(ratio)}x`;

/** Prints the rows, or hands them to the program that runs all benchmarks. */
export const report = (rows: readonly Row[]): void => {
  if (process.send === undefined) console.log(tableOf(rows));
  else process.send({ rows });
};
