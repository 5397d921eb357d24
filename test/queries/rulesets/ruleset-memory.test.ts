import { test } from 'tap';
import { type Ruleset } from '../../../src/domain/evaluation/ruleset.js';
import { type Position } from '../../../src/domain/position.js';
import { compileRegex } from '../../../src/infrastructure/re2-regex-compiler.js';
import {
  rulesetMemory,
  type RulesetUpdate,
} from '../../../src/queries/evaluation/ruleset-memory.js';
import { aRuleset } from '../../support/rulesets.js';

const PROD = 'acme:shop:production';
const DEV = 'acme:shop:development';

const content = (isComplete: boolean, rulesets: Readonly<Record<string, Ruleset | null>>) => ({
  isComplete,
  flags: new Map(Object.entries(rulesets)),
  segments: new Map(),
});

const update = (
  position: number,
  environments: RulesetUpdate['environments'],
  isComplete = false,
): RulesetUpdate => ({ source: 'redis', position, isComplete, environments });

const loaded = (position: number) => {
  const memory = rulesetMemory({ compileRegex });
  const rulesets = content(true, { a: aRuleset('a'), b: aRuleset('b') });
  memory.publish(
    update(
      position,
      new Map([
        [PROD, rulesets],
        [DEV, rulesets],
      ]),
      true,
    ),
  );
  return memory;
};

const keys = (memory: ReturnType<typeof loaded>, id: string): readonly string[] | undefined => {
  const environment = memory.current()?.environments.get(id);
  return environment === undefined ? undefined : [...environment.flags.keys()];
};

test('there is nothing until something is published', async (t) => {
  t.equal(rulesetMemory({ compileRegex }).current(), undefined);
});

test('a change touches its flags and leaves all others', async (t) => {
  const memory = loaded(5);
  const before = memory.current();
  memory.publish(update(6, new Map([[PROD, content(false, { b: null, c: aRuleset('c') })]])));
  t.strictSame(keys(memory, PROD), ['a', 'c']);
  t.equal(memory.current()?.environments.get(DEV), before?.environments.get(DEV));
  t.strictSame([...(before?.environments.get(PROD)?.flags.keys() ?? [])], ['a', 'b']);
});

test('an environment is replaced, added or removed as a whole', async (t) => {
  const memory = loaded(5);
  memory.publish(
    update(
      6,
      new Map([
        [PROD, content(true, { z: aRuleset('z') })],
        [DEV, null],
      ]),
    ),
  );
  t.strictSame(keys(memory, PROD), ['z']);
  t.equal(keys(memory, DEV), undefined);
  memory.publish(update(7, new Map([[DEV, content(true, {})]])));
  t.strictSame(keys(memory, DEV), []);
});

test('a complete update leaves nothing that it does not name', async (t) => {
  const memory = loaded(5);
  memory.publish(update(6, new Map([[DEV, content(true, {})]]), true));
  t.equal(keys(memory, PROD), undefined);
});

test('what is older than what is held is refused', async (t) => {
  const memory = loaded(5);
  t.notOk(memory.publish(update(4, new Map(), true)));
  t.equal(memory.current()?.position, 5);
  t.ok(keys(memory, PROD));
});

test('a position moves on without a change, and nobody is told', async (t) => {
  const memory = loaded(5);
  const told: Position[] = [];
  memory.subscribe(({ position }) => told.push(position));
  t.ok(memory.publish(update(9, new Map())));
  t.equal(memory.current()?.position, 9);
  t.strictSame(told, []);
});

test('listeners are told what an update touched, until they leave', async (t) => {
  const memory = loaded(5);
  const told: (readonly string[])[] = [];
  const leave = memory.subscribe((_, touched) => told.push(touched));
  memory.publish(update(6, new Map([[PROD, content(false, { a: null })]])));
  leave();
  memory.publish(update(7, new Map([[DEV, null]])));
  t.strictSame(told, [[PROD]]);
});

test('whoever waits for a position is told when it is reached, or that it is not', async (t) => {
  const memory = loaded(5);
  t.ok(await memory.waitForPosition(5, 0), 'reached already');
  const [soon, later] = [memory.waitForPosition(7, 60_000), memory.waitForPosition(9, 1)];
  memory.publish(update(8, new Map()));
  t.ok(await soon);
  t.notOk(await later);
});
