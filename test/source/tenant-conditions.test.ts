import { test } from 'tap';
import { sourceTexts } from '../support/source-texts.js';

/** Tables with rows of many tenants, in the read model and outside of it. */
const READS =
  /\b(?:from|join)\s+(?:chronoflag\.)?(?:(?:flag|segment|project|organization)(?:_revision)?|audit_\w+|account\w*|session|refresh_token|invitation|personal_subject|credentials|\$\{(?:table|kind))/;

/** The id of a project begins with that of its organization. */
const OF_TENANT = /\b\w+\.(?:organization_id|project_id|tenant)\s*=|starts_with\(\w+\.project_id,/;

/** How many texts of a file read without, and why they may. */
const WITHOUT: Readonly<Record<string, readonly [count: number, why: string]>> = {
  'queries/audit/audit-filter.ts': [1, 'a time as a log position'],
  'queries/audit/audit-log.ts': [1, 'conditions that begin with the organization'],
  'queries/entities/flag-filter.ts': [1, 'a table in a query that has the project'],
  'queries/entities/entity-history.ts': [1, 'conditions that begin with the stream'],
  'queries/evaluation/current-states.ts': [1, 'where all of the read model stands, for Redis'],
  'queries/log/log-source.ts': [1, 'conditions made of the names of columns'],
  'queries/moments.ts': [4, 'times and positions of the log, or a stream with its organization'],
  'queries/trail/checkpoints.ts': [1, 'all that have a trail, for the jobs'],
  'queries/usage.ts': [2, 'sums of all, for the quota of the installation'],
  'queries/organizations.ts': [1, 'the members of all, for this process'],
};

test('every query names whose rows it reads', async (t) => {
  const queries = sourceTexts('queries/').filter(({ text }) => READS.test(text));
  const open = queries.filter(({ text }) => !OF_TENANT.test(text));
  const files = [...new Set([...open.map(({ file }) => file), ...Object.keys(WITHOUT)])];
  t.ok(queries.length > 30, `${queries.length} were found`);
  for (const file of files) {
    const found = open.filter((one) => one.file === file);
    const [count = 0, why = 'nothing explains it'] = WITHOUT[file] ?? [];
    t.equal(found.length, count, `${file}:${found.map(({ line }) => line).join()}: ${why}`);
  }
});
