/** The direction of the house, each rule with its reason: cli, app -> appContext -> (http, ws, store, onnx, metrics) -> control -> core. */
const only = (name, comment, to, allowedFrom) => ({
  name,
  comment,
  severity: 'error',
  from: { path: '^src/', pathNot: allowedFrom },
  to: { path: to },
});
module.exports = {
  forbidden: [
    {
      name: 'no-circle',
      comment: 'A circle cannot be understood one file at a time.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'core-is-pure',
      comment: 'core could run in a spreadsheet: it imports only core, no package and no Node module.',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { pathNot: '^src/core/' },
    },
    {
      name: 'control-knows-no-edge',
      comment:
        'control decides and remembers; interfaces it needs stand in control and are implemented outside.',
      severity: 'error',
      from: { path: '^src/control/' },
      to: { path: '^src/', pathNot: '^src/(control|core)/' },
    },
    {
      name: 'edges-do-not-meet',
      comment: 'http, ws, store, onnx and metrics translate for control; they do not call one another.',
      severity: 'error',
      from: { path: '^src/(http|ws|store|onnx|metrics)/' },
      to: { path: '^src/(http|ws|store|onnx|metrics|cli)/', pathNot: '^src/$1/' },
    },
    {
      name: 'client-knows-only-the-protocol',
      comment: 'A device needs nothing of the controller but the frames and the check of their schemas.',
      severity: 'error',
      from: { path: '^src/client/' },
      to: { path: '^src/', pathNot: '^src/(client/|protocol/|schema/problems\\.ts)' },
    },
    only('sqlite-only-in-store', 'Rows stop at the store.', 'node_modules/better-sqlite3', '^src/store/'),
    only(
      'onnxruntime-only-in-onnx',
      'Sessions live behind onnx.',
      'node_modules/onnxruntime-(node|common)',
      '^src/onnx/',
    ),
    only(
      'protobuf-only-in-onnx',
      'The ONNX wire format stops at onnx and the zoo that writes it.',
      'node_modules/@bufbuild',
      '^src/(onnx|zoo)/',
    ),
    only(
      'prom-client-only-in-metrics',
      'One helper per business event.',
      'node_modules/prom-client',
      '^src/metrics/',
    ),
    only(
      'fastify-only-at-the-edge',
      'Wire types stop at ws and http.',
      'node_modules/(fastify|@fastify)',
      '^src/(http|ws|app)',
    ),
    {
      name: 'nobody-imports-cli',
      comment: 'A command is a leaf: what two of them need is a module of its own.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(cli/|main\\.ts)' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'no-test-in-src',
      comment: 'The product does not know its tests.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench)/' },
    },
    {
      name: 'resolvable',
      comment: 'Every import exists.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
    exclude: { path: '^(dist|node_modules)/' },
  },
};
