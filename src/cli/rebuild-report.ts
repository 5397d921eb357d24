import { type RowDifference } from '../domain/verification.js';
import { type Comparison } from '../projections/rebuild/rebuild-database.js';
import { type RebuildProgress, type RebuildReport } from '../projections/rebuild/rebuild.js';

export type Print = (line: string) => void;

const PROGRESS_MS = 1_000;

const count = (number: number): string => Math.round(number).toLocaleString('en');

/** Prints a line a second: how many events, how fast, how far, how long still. @returns what stops it */
export const showProgress = (progress: RebuildProgress, print: Print): (() => void) => {
  const began = performance.now();
  const timer = setInterval(() => {
    const seconds = (performance.now() - began) / 1_000;
    const { phase, events, position, head } = progress;
    const done = head > 0 ? Math.min(1, Math.max(0, Number(position)) / Number(head)) : 1;
    const left = done > 0 ? (seconds / done) * (1 - done) : 0;
    const how = `${count(events)} events, ${count(events / seconds)}/s`;
    const far = `${(done * 100).toFixed(1)} %, ${count(left)} s left`;
    print(phase === 'reading' ? `${phase}: ${how}, ${far}` : `${phase}: ${how}`);
  }, PROGRESS_MS);
  return () => {
    clearInterval(timer);
  };
};

const differenceLine = ({ table, key, column, only }: RowDifference): string => {
  const place = Object.entries(key)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
  return `  table ${table}, ${place}: ${only ? `only in the ${only} one` : `column ${String(column)}`}`;
};

const comparisonLines = ({ live, rebuilt, differences }: Comparison): readonly string[] => {
  const cells = rebuilt.map(({ table, rows, sum }, nth) => {
    const was = live[nth];
    const isEqual = was?.rows === rows && was.sum === sum;
    return [table, count(was?.rows ?? 0), was?.sum ?? '', count(rows), sum, isEqual ? '=' : 'NO'];
  });
  const all = [['table', 'live rows', 'checksum', 'rebuilt rows', 'checksum', 'equal'], ...cells];
  const widths = all.reduce<number[]>(
    (most, row) => row.map((cell, nth) => Math.max(most[nth] ?? 0, cell.length)),
    [],
  );
  return [
    ...all.map((row) => row.map((cell, nth) => cell.padEnd(widths[nth] ?? 0)).join('  ')),
    ...(differences.length === 0
      ? ['The rebuilt read model is equal.']
      : [
          'The rebuilt read model is DIFFERENT. The first differences:',
          ...differences.map(differenceLine),
        ]),
  ];
};

type LostReport = NonNullable<RebuildReport['lost']>;

const lostLines = (
  { total, events, checkpoints }: LostReport,
  isSwapped: boolean,
): readonly string[] => [
  `The event store ends before what Postgres holds: it was restored from an older back-up. ${count(total)} events are lost:`,
  ...events.map(
    ({ at, type, stream, revision, position, actor }) =>
      `  ${at} ${type} by ${actor}, event ${revision} of '${stream}', position ${position}`,
  ),
  ...(total > events.length ? [`  and ${count(total - events.length)} more`] : []),
  ...(isSwapped
    ? [
        `${count(checkpoints)} signed checkpoints over lost events are set aside (chronoflag.void_audit_checkpoint).`,
        'Redis and the copy of rulesets in this data directory were emptied. Remove rulesets.jsonl* in the data directories',
        'of other machines, then start the service.',
      ]
    : [
        'Bring the newer event store back; or, with all processes of the service stopped,',
        '`npm run projections -- rebuild --accept-loss` goes on without these events.',
      ]),
];

const comparedLines = ({ comparison, lost, isSwapped }: RebuildReport): readonly string[] => {
  if (lost !== undefined) return lostLines(lost, isSwapped);
  return comparison
    ? comparisonLines(comparison)
    : ['The serving read model was empty or behind; there was nothing to compare.'];
};

export const reportLines = (report: RebuildReport, seconds: number): readonly string[] => {
  const { lost, isSwapped, poison, events, position } = report;
  const stopped = poison
    ? [
        `It stops in front of position ${poison.position}: '${poison.type}', event ${poison.revision} of`,
        `'${poison.stream}', cannot be applied: ${poison.error}`,
      ]
    : [];
  const rate = count(events / seconds);
  const kept = [
    'NOT put in place: the old read model goes on serving. docs/architecture.md says what to look at;',
    '`npm run projections -- rebuild --replace-different` puts the rebuilt one in place all the same.',
  ];
  return [
    ...comparedLines(report),
    ...stopped,
    ...(isSwapped || lost !== undefined ? [] : kept),
    `Rebuilt from ${count(events)} events in ${seconds.toFixed(1)} s (${rate}/s), up to position ${position}.`,
  ];
};
