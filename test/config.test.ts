import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { InvalidConfig, loadConfig } from '../src/config.js';

const SECRETS = [
  ['METRICS_TOKEN', 'short'],
  ['METRICS_TOKEN', 'abababababababababab'],
  ['MASTER_KEY', 'c2hvcnQ='],
] as const;

for (const [variable, value] of SECRETS)
  test(`a ${variable} that can be guessed is refused, and not repeated`, async (t) => {
    try {
      loadConfig({ [variable]: value });
      t.fail('it was taken');
    } catch (error) {
      t.ok(error instanceof InvalidConfig);
      t.match(String(error), variable);
      t.notMatch(String(error), value);
    }
  });

test('what .env.example gives is what is without it', async (t) => {
  const text = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');
  const given = [...text.matchAll(/^([A-Z_]+)=(.+)$/gm)].map(([, name, value]) => [name, value]);
  t.ok(given.length > 10);
  t.strictSame(loadConfig(Object.fromEntries(given) as NodeJS.ProcessEnv), loadConfig({}));
});
