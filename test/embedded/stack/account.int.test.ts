import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { postgresAccount, runAs } from '../../../src/embedded/stack/postgres-account.js';
import { temporaryFolder } from './stack-support.js';

const isRoot = process.getuid?.() === 0;
const skip = isRoot ? false : 'only root starts programs as other users';

test(
  'whoever is not root runs Postgres as himself',
  { skip: isRoot && 'we are root' },
  async (t) => {
    t.equal(postgresAccount('/absent'), undefined);
  },
);

test(
  'root runs Postgres as somebody else, who reaches a clone in a private folder',
  { skip },
  async (t) => {
    const folder = temporaryFolder(t);
    chmodSync(folder, 0o700);
    const file = join(folder, 'file');
    writeFileSync(file, 'reached');
    chmodSync(file, 0o755);
    const account = postgresAccount(join(folder, 'absent'));
    t.not(account?.uid, 0);
    const look = `fs.accessSync('${file}', fs.constants.X_OK); console.log(process.getuid(), fs.readFileSync('${file}', 'utf8'))`;
    const { command, args, uid, gid } = runAs(account, [process.execPath, '-e', look], [file]);
    const ids = uid === undefined || gid === undefined ? {} : { uid, gid };
    t.equal(
      execFileSync(command, args, { encoding: 'utf8', env: {}, ...ids }),
      `${account?.uid ?? 0} reached\n`,
    );
  },
);
