import { auditKeyFile } from '../composition/audit-trail.js';
import { runProgram } from './run-program.js';
import { loadConfig } from '../config.js';
import { rotateSigningKey } from '../infrastructure/audit/signing-key.js';

const USAGE = `npm run audit-key -- rotate   puts a new key in the place of the one that signs checkpoints
Start all processes anew afterwards, with the new key and the file beside it.`;

const run = async (command: string | undefined): Promise<number> => {
  if (command !== 'rotate') {
    process.stdout.write(`${USAGE}\n`);
    return 2;
  }
  const { file } = auditKeyFile(loadConfig(process.env));
  const { statement } = await rotateSigningKey(file, new Date());
  process.stdout.write(`${statement.previousKeyId} is followed by ${statement.keyId}:\n`);
  process.stdout.write(statement.publicKey);
  return 0;
};

await runProgram('audit-key', () => run(process.argv[2]));
