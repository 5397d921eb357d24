// Runs every benchmark, one after the other, prints one table and writes it to docs/benchmarks.md.
//
// npm run bench                        all; the log of 1 000 000 events takes most of the time
// npm run bench -- --events=100000     with a shorter log
// npm run bench -- commands memory     only these; docs/benchmarks.md stays as it is
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { type Row, tableOf } from './support/report.js';

const ALL = [
  'engine',
  'peers',
  'evaluation',
  'scaling',
  'commands',
  'lists',
  'shares',
  'propagation',
  'event-streams',
  'start-up',
  'memory',
  'event-store',
  'time-travel',
  'audit',
] as const;

const DOCUMENT = new URL('../docs/benchmarks.md', import.meta.url);
const TABLE = /(?<=<!-- table -->\n)[^]*(?=<!-- end of table -->)/;

const args = process.argv.slice(2);
const options = args.filter((arg) => arg.startsWith('--'));
const chosen = ALL.filter((name) => args.includes(name));

const runOne = async (name: string): Promise<readonly Row[]> => {
  const file = new URL(`${name}.ts`, import.meta.url);
  const child = fork(file, options, { execArgv: process.execArgv });
  const rows: Row[] = [];
  child.on('message', (message) => {
    rows.push(...(message as { rows: Row[] }).rows);
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) console.error(`${name} ended with ${String(code)}`);
  return rows;
};

const osName = (): string =>
  /PRETTY_NAME="([^"]*)"/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform;

const setting = (): string =>
  [
    new Date().toISOString().slice(0, 10),
    `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'})`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    osName(),
    `Node ${process.versions.node}`,
  ].join(', ');

const rows: Row[] = [];
for (const name of chosen.length > 0 ? chosen : ALL) {
  console.error(`— ${name}`);
  const measured = await runOne(name);
  rows.push(...measured);
  console.log(`${tableOf(measured)}\n`);
}
const text = `${setting()}.\n\n${tableOf(rows)}\n`;
console.log(text);
if (chosen.length === 0) {
  const document = readFileSync(DOCUMENT, 'utf8');
  writeFileSync(
    DOCUMENT,
    document.replace(TABLE, () => `\n${text}\n`),
  );
}
