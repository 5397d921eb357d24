import { test } from 'tap';
import {
  addedReferences,
  circleThrough,
  type Graph,
  longestThrough,
  type Node,
  nodeId,
  type Reference,
  referencesOfFlag,
  referencesOfSegment,
} from '../../src/domain/references.js';
import { content } from '../support/flags.js';
import { segmentContent } from '../support/histories.js';

type Edge = readonly [from: string, to: string, environment?: string];

const flag = (key: string): Node => ({ kind: 'flag', key });

/** Flags with prerequisites; without an environment, in all. */
const graphOf = (...edges: readonly Edge[]): Graph => {
  const references = edges.map(([from, to, environment = null]) => ({ from, to, environment }));
  return {
    below: (node) =>
      references
        .filter(({ from }) => nodeId(flag(from)) === nodeId(node))
        .map(({ to, environment }): Reference => ({ ...flag(to), environment })),
    above: (node) =>
      references
        .filter(({ to }) => nodeId(flag(to)) === nodeId(node))
        .map(({ from, environment }): Reference => ({ ...flag(from), environment })),
  };
};

const circle = (graph: Graph, key: string) =>
  circleThrough(graph, flag(key))?.map((node) => node.key);

test('a circle is told by its way back', async (t) => {
  const graph = graphOf(['a', 'b'], ['b', 'c'], ['c', 'a'], ['c', 'd']);
  t.strictSame(circle(graph, 'a'), ['b', 'c', 'a']);
  t.strictSame(circle(graph, 'd'), undefined, 'who is not in it is in none');
  t.strictSame(circle(graphOf(['a', 'a']), 'a'), ['a']);
});

test('a circle is one of one environment', async (t) => {
  t.strictSame(circle(graphOf(['a', 'b', 'live'], ['b', 'a', 'test']), 'a'), undefined);
  t.strictSame(circle(graphOf(['a', 'b', 'live'], ['b', 'a', 'live']), 'a'), ['b', 'a']);
  t.strictSame(circle(graphOf(['a', 'b', 'live'], ['b', 'a']), 'a'), ['b', 'a'], 'or of all');
});

test('many ways to the same node are no circle, and are walked once', async (t) => {
  const layers = Array.from({ length: 30 }, (_, n) => n);
  const edges = layers.flatMap((n): Edge[] => [
    [`l${n}`, `l${n + 1}`],
    [`l${n}`, `r${n + 1}`],
    [`r${n}`, `l${n + 1}`],
    [`r${n}`, `r${n + 1}`],
  ]);
  const graph = graphOf(...edges);
  t.equal(circle(graph, 'l0'), undefined);
  t.equal(longestThrough(graph, flag('l15')), 30);
});

test('the longest chain through a node counts both directions', async (t) => {
  const graph = graphOf(['a', 'b'], ['b', 'c'], ['c', 'd'], ['x', 'c'], ['b', 'd']);
  t.equal(longestThrough(graph, flag('c')), 3);
  t.equal(longestThrough(graph, flag('x')), 2);
  t.equal(longestThrough(graph, flag('d')), 0, 'who refers to nothing lengthens nothing');
});

test('references come from prerequisites and from clauses, those in groups too', async (t) => {
  const clauses = [{ segments: ['s'] }, { anyOf: [{ segments: ['s', 'g'] }] }];
  const targeting = {
    ...content.defaults,
    rules: [{ id: 'r', description: '', clauses, serve: { variant: 'on' } }],
    prerequisites: [{ flagKey: 'p', variants: ['on'] }],
  };
  const live = { ...content, environments: { live: targeting }, status: 'active' } as const;
  t.strictSame(referencesOfFlag(live), [
    { kind: 'flag', key: 'p', environment: 'live', variants: ['on'] },
    { kind: 'segment', key: 's', environment: 'live' },
    { kind: 'segment', key: 'g', environment: 'live' },
  ]);
  t.strictSame(referencesOfFlag({ ...live, status: 'archived' }), []);
  t.match(referencesOfFlag({ ...live, defaults: targeting, environments: {} }), [
    { key: 'p', environment: null },
  ]);
  const rules = [{ id: 'r', description: '', clauses }];
  const segment = { ...segmentContent('x'), rules, status: 'active' } as const;
  t.strictSame(referencesOfSegment(segment), [
    { kind: 'segment', key: 's', environment: null },
    { kind: 'segment', key: 'g', environment: null },
  ]);
  t.strictSame(referencesOfSegment({ ...segment, status: 'deleted' }), []);
});

test('another variant of the same prerequisite is another reference', async (t) => {
  const on: Reference = { ...flag('p'), environment: 'live', variants: ['on'] };
  const off: Reference = { ...on, variants: ['off'] };
  t.strictSame(addedReferences([on], [on]), []);
  t.strictSame(addedReferences([on], [on, off]), [off]);
  t.strictSame(addedReferences([on, off], [on]), []);
});
