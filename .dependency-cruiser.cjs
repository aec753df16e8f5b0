// Who may import whom (docs: CONTRIBUTING.md). TypeScript 7 has no API that dependency-cruiser could parse with, so swc parses.

/** Each room and the rooms below it. A room not listed here may import nothing of ours. */
const layers = {
  'contracts': [],
  'providers': ['contracts'],
  'tenant-context': ['contracts'],
  'secrets': ['contracts', 'tenant-context'],
  'cache': ['contracts', 'tenant-context'],
  'event-bus': ['contracts', 'tenant-context'],
  'db': ['contracts', 'tenant-context'],
  'service-kit': ['contracts', 'tenant-context', 'secrets', 'event-bus', 'db', 'providers'],
  'connector-kit': ['contracts', 'tenant-context', 'secrets', 'event-bus', 'db', 'providers', 'service-kit'],
  'testing': ['contracts', 'tenant-context', 'db'],
};

/** Files that never run in production: they may import packages/testing, and drive what production code may not touch. */
const tests = '(\\.test\\.ts$|/testing/|/test/|^packages/testing/|^tests/|^bench/)';

const inPackage = (name) => `^packages/${name}/`;
const npm = (name) => `node_modules/${name}/`;

/** A dependency from npm that only some rooms may touch. */
const onlyIn = (name, dependency, rooms, why) => ({
  name: `only-${name}`,
  comment: why,
  severity: 'error',
  from: { path: '^(apps|packages)/', pathNot: `${rooms}|${tests}` },
  to: { path: npm(dependency) },
});

module.exports = {
  forbidden: [
    { name: 'no-circular', comment: 'Two files that need each other are one file, or three.', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'not-to-unresolvable', comment: 'The import leads nowhere, or to a package that is not in this package.json.', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ...Object.entries(layers).map(([room, below]) => ({
      name: `layer-${room}`,
      comment: `packages/${room} may import: ${below.join(', ') || 'nothing of ours'}.`,
      severity: 'error',
      from: { path: inPackage(room), pathNot: tests },
      to: { path: '^(packages|apps)/', pathNot: [inPackage(room), ...below.map(inPackage)].join('|') },
    })),
    {
      name: 'no-app-imports-app',
      comment: 'Services talk over HTTP and the bus. Only standalone holds them all.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: '^apps/standalone/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    { name: 'no-package-imports-app', comment: 'Apps are leaves.', severity: 'error', from: { path: '^packages/' }, to: { path: '^apps/' } },
    {
      name: 'tests-stay-outside',
      comment: 'Nothing that runs in production may import what tests stand on.',
      severity: 'error',
      from: { path: '^(apps|packages)/', pathNot: tests },
      to: { path: '^packages/testing/|/src/testing/|/test/|\\.test\\.ts$', pathNot: '^packages/testing/src/kafka/' },
    },
    {
      name: 'domain-is-pure',
      comment: 'Domain files import no framework, store, clock or I/O; those come in as arguments.',
      severity: 'error',
      from: { path: '/src/domain/', pathNot: tests },
      to: { path: ['/src/(store|routes|consumers)/', npm('(express|kafkajs|pg|undici|@prisma)'), '^(node:)?(fs|http|https|net|child_process)(/|$)'], dependencyTypesNot: ['type-only'] },
    },
    onlyIn('service-kit-express', 'express', inPackage('service-kit'), 'Services declare routes; the kit serves them.'),
    onlyIn('event-bus-kafkajs', 'kafkajs', inPackage('event-bus'), 'Services know the bus, not its broker.'),
    onlyIn('event-bus-graphile-worker', 'graphile-worker', inPackage('event-bus'), 'Services know the bus, not its queue.'),
    onlyIn('db-prisma', '@prisma', `${inPackage('db')}|^apps/[^/]+/src/store/`, 'Prisma stays in db and in a service\'s store.'),
    onlyIn('db-pg', 'pg', `${inPackage('(db|event-bus|testing)')}|^apps/standalone/`, 'Queries go through db.transaction, which sets the tenant.'),
    {
      name: 'only-db-prisma-generated',
      comment: 'The generated client is the store\'s; service.ts alone hands its constructor to the kit.',
      severity: 'error',
      from: { path: '^apps/', pathNot: `/src/store/|/src/service\\.ts$|${tests}` },
      to: { path: '/store/generated/', dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['/generated/'] },
    combinedDependencies: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'], extensions: ['.ts', '.mjs', '.js', '.cjs', '.json'], mainFields: ['module', 'main'] },
    reporterOptions: { text: { highlightFocused: true } },
  },
};
