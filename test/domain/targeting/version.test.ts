import { test } from 'tap';
import { compareVersions, versionOf } from '../../../src/domain/targeting/version.js';

test('versions are read as Semantic Versioning says, with v and left out numbers besides', async (t) => {
  const read: readonly (readonly [text: string, numbers: string])[] = [
    ['1.2.3', '1.2.3'],
    ['v1.2.3', '1.2.3'],
    ['V0.0.0', '0.0.0'],
    ['2', '2.0.0'],
    ['2.1', '2.1.0'],
    ['2.1-rc', '2.1.0-rc'],
    ['1.0.0-alpha.1', '1.0.0-alpha.1'],
    ['1.0.0--', '1.0.0--'],
    ['1.0.0-0a.x-y', '1.0.0-0a.x-y'],
    ['1.0.0+build.7', '1.0.0'],
    ['1.0.0-a+001', '1.0.0-a'],
    ['9007199254740991.0.0', '9007199254740991.0.0'],
  ];
  for (const [text, expected] of read) {
    const { major, minor, patch, prerelease } = versionOf(text) ?? {};
    const suffix = prerelease === '' ? '' : `-${prerelease}`;
    t.equal(`${major}.${minor}.${patch}${suffix}`, expected, text);
  }
});

test('what is no version is none', async (t) => {
  const texts = [
    '',
    'v',
    'one',
    '1.',
    '1..2',
    '1.2.3.4',
    '01.2.3',
    '1.02.3',
    '1.2.3-',
    '1.2.3-a..b',
  ];
  const more = ['1.2.3-01', '1.2.3+', '1.2.3 ', ' 1.2.3', '-1.2.3', '1.2.3-é', 'vv1', '=1.2.3'];
  const huge = ['9007199254740992.0.0', `1.0.0-${'a'.repeat(256)}`];
  for (const text of [...texts, ...more, ...huge]) t.equal(versionOf(text), undefined, text);
});

test('the order of Semantic Versioning, section 11', async (t) => {
  const ascending = [
    '0.9.9',
    '1.0.0-0',
    '1.0.0-2',
    '1.0.0-11',
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '1.0.1',
    '1.1.0',
    '2.0.0',
    '10.0.0',
  ].map((text) => versionOf(text));
  for (const [index, one] of ascending.entries())
    for (const [other, version] of ascending.entries()) {
      if (one === undefined || version === undefined) throw new Error('no version');
      t.equal(Math.sign(compareVersions(one, version)), Math.sign(index - other));
    }
});
