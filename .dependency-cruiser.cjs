/** The arrows of docs/architecture.md: who may import whom, and which npm packages where. */
const layers = {
  domain: [],
  commands: ['domain'],
  projections: ['domain'],
  queries: ['domain'],
  infrastructure: ['domain', 'commands', 'projections', 'queries'],
  api: ['domain', 'commands', 'queries', 'identity'],
  identity: ['domain', 'commands', 'queries', 'infrastructure'],
  jobs: ['domain', 'commands', 'projections', 'queries'],
  embedded: [],
};

const onlyImports = ([layer, allowed]) => ({
  name: `${layer}-imports-only-${allowed.join('-') || 'itself'}`,
  severity: 'error',
  from: { path: `^src/${layer}/` },
  to: { path: '^src/', pathNot: `^src/(${[layer, ...allowed].join('|')})/` },
});

module.exports = {
  forbidden: [
    ...Object.entries(layers).map(onlyImports),
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'domain-is-pure',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'core'], pathNot: '^(node:)?crypto$' },
    },
    {
      name: 'commands-are-pure',
      severity: 'error',
      from: { path: '^src/commands/' },
      to: { dependencyTypes: ['npm', 'core'], pathNot: '^(node:)?crypto$' },
    },
    {
      name: 'drivers-only-in-infrastructure',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(infrastructure|jobs|embedded|composition)/' },
      to: { path: 'node_modules/(@eventstore|bullmq|ioredis)' },
    },
    {
      name: 'pg-only-where-sql-is',
      severity: 'error',
      from: { path: '^src/(domain|commands|api)/' },
      to: { path: 'node_modules/(@types/)?pg' },
    },
    {
      name: 'http-only-in-api',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(api|composition)/' },
      to: { path: 'node_modules/(fastify|@fastify|fast-jwt)' },
    },
    {
      name: 'src-never-imports-test',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench)/' },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^src/' },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
