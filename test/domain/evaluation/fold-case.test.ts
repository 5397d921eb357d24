import { test } from 'tap';
import { foldCase } from '../../../src/domain/evaluation/operators/text.js';

const LAST = 0x10ffff;
const isSurrogate = (point: number): boolean => point >= 0xd800 && point <= 0xdfff;

test('folding joins exactly the characters that Unicode joins', async (t) => {
  // The platform's `iu` comparison is Unicode's simple case folding.
  const classes = new Map<string, string[]>();
  const differing: string[] = [];
  for (let point = 0; point <= LAST; point += 1) {
    if (isSurrogate(point)) continue;
    const character = String.fromCodePoint(point);
    const folded = foldCase(character);
    if (folded === character) continue;
    classes.set(folded, [...(classes.get(folded) ?? []), character]);
    const escaped = `^\\u{${point.toString(16)}}$`;
    if (!new RegExp(escaped, 'iu').test(folded)) differing.push(escaped);
  }
  t.ok(classes.size > 1_000);
  t.strictSame(differing, []);
});

test('what the platform joins is joined', async (t) => {
  const changed: string[] = [];
  for (let point = 0; point <= LAST; point += 1) {
    if (isSurrogate(point)) continue;
    const character = String.fromCodePoint(point);
    for (const other of [character.toLowerCase(), character.toUpperCase()]) {
      if (other === character || Array.from(other).length > 1) continue;
      const pattern = new RegExp(`^\\u{${point.toString(16)}}$`, 'iu');
      if (pattern.test(other) !== (foldCase(other) === foldCase(character)))
        changed.push(character);
    }
  }
  t.strictSame(changed, []);
});

test('a folded text is folded already, and as long in characters', async (t) => {
  for (const text of ['ǅungla', 'ΣΊΣΥΦΟΣ', 'İstanbul', 'STRAẞE', '𐐀𐐁', 'a\ud800b', 'Ⴀⴀ', 'Ꭰꭰ']) {
    t.equal(foldCase(foldCase(text)), foldCase(text));
    t.equal(Array.from(foldCase(text)).length, Array.from(text).length);
  }
});
