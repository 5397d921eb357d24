import { createHash } from 'node:crypto';
import { test } from 'tap';
import { growingTree, inclusionPath, merkleRoot } from '../../../src/domain/audit/merkle.js';

/** The inputs and roots of the reference implementations of RFC 6962 and RFC 9162. */
const INPUTS = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const sha256 = (...parts: readonly Buffer[]): Buffer =>
  createHash('sha256').update(Buffer.concat(parts)).digest();

/** RFC 9162, 2.1.3.2, word for word. */
const rootFrom = (leaf: string, index: number, size: number, path: readonly string[]): string => {
  let [fn, sn] = [index, size - 1];
  let r = sha256(Buffer.of(0), Buffer.from(leaf, 'hex'));
  for (const hash of path) {
    const p = Buffer.from(hash, 'hex');
    if (sn === 0) return 'too long';
    if (fn % 2 === 1 || fn === sn) {
      r = sha256(Buffer.of(1), p, r);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
    } else r = sha256(Buffer.of(1), r, p);
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 ? r.toString('hex') : 'too short';
};

test('the root is that of the reference implementations', async (t) => {
  t.equal(merkleRoot([]), sha256().toString('hex'));
  for (const [n, root] of ROOTS.entries()) t.equal(merkleRoot(INPUTS.slice(0, n + 1)), root);
});

test('every leaf of every tree up to 64 leaves has a path that leads to the root', async (t) => {
  const leaves = Array.from({ length: 64 }, (_, n) => sha256(Buffer.of(n)).toString('hex'));
  const tree = growingTree();
  for (const [last, added] of leaves.entries()) {
    tree.add(added);
    const held = leaves.slice(0, last + 1);
    const led = held.map((leaf, index) =>
      rootFrom(leaf, index, held.length, inclusionPath(held, index)),
    );
    t.strictSame(new Set(led), new Set([tree.root()]), `${held.length} leaves`);
  }
});

test('no other leaf, place or size is led to the root', async (t) => {
  const leaves = INPUTS.slice(1);
  const path = inclusionPath(leaves, 2);
  t.equal(rootFrom('2021', 2, 7, path), merkleRoot(leaves));
  t.not(rootFrom('2022', 2, 7, path), merkleRoot(leaves));
  t.not(rootFrom('2021', 3, 7, path), merkleRoot(leaves));
  t.not(rootFrom('2021', 2, 7, path.slice(1)), merkleRoot(leaves));
  t.not(rootFrom('2021', 2, 7, [...path, ...path]), merkleRoot(leaves));
});
