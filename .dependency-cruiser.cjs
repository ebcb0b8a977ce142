const { existsSync, readFileSync } = require('node:fs');

// The layers of src: imports run one way. A folder may import those it is given here, and itself.
const layers = {
  errors: [],
  internal: ['errors'],
  http: ['errors', 'internal'],
  'resource-pool': ['http', 'errors', 'internal'],
  image: ['resource-pool', 'http', 'errors', 'internal'],
  openai: ['resource-pool', 'http', 'errors', 'internal'],
  retry: ['resource-pool', 'http', 'errors', 'internal'],
  'batch-processor': ['resource-pool', 'http', 'errors', 'internal'],
  'circuit-breaker': ['resource-pool', 'http', 'errors', 'internal'],
  'performance-monitor': ['resource-pool', 'http', 'errors', 'internal'],
  'redis-cache': ['circuit-breaker', 'resource-pool', 'http', 'errors', 'internal'],
  routing: ['circuit-breaker', 'resource-pool', 'http', 'errors', 'internal'],
  'describe-client': [
    'image',
    'openai',
    'routing',
    'retry',
    'batch-processor',
    'redis-cache',
    'circuit-breaker',
    'performance-monitor',
    'resource-pool',
    'http',
    'errors',
    'internal',
  ],
};

// What the entry point of a folder exports of other folders: `./routing` is the entry point of retries, too.
const entries = { routing: ['retry'] };

// The rooms of a folder, each with those that it may import; a file that stands in no room may import all of them.
// The room `.` is those files.
// `doors` are files of rooms that other folders may import beside those that the folder's index.ts names.
const rooms = {
  'resource-pool': {
    reports: [],
    options: [],
    slots: ['options', 'reports'],
    doors: [],
  },
  'circuit-breaker': {
    verdict: [],
    window: [],
    circuit: ['verdict', 'window'],
    handlers: ['.', 'circuit', 'verdict'],
    doors: [],
  },
  'performance-monitor': {
    metrics: [],
    system: ['metrics'],
    reports: ['system', 'metrics'],
    handlers: ['.'],
    doors: [],
  },
  routing: {
    limits: [],
    'shared-quota': ['limits'],
    quota: ['shared-quota', 'limits'],
    router: ['quota', 'limits'],
    doors: ['quota/attempt-report.ts', 'router/endpoint.ts'],
  },
  'redis-cache': {
    redis: [],
    entries: [],
    tags: ['entries', 'redis'],
    tiers: ['tags', 'entries', 'redis'],
    filling: ['tiers', 'tags', 'entries', 'redis'],
    doors: [],
  },
  http: {
    encoding: [],
    guard: ['encoding'],
    connection: ['guard', 'encoding'],
    doors: [
      'connection/connection-fetch.ts',
      'connection/http-connection.ts',
      'connection/http-message.ts',
      'connection/proxy.ts',
      'connection/tls-options.ts',
      'connection/transport-options.ts',
      'connection/web-headers.ts',
      'encoding/byte-collector.ts',
      'encoding/encode-base64.ts',
      'encoding/encode-json.ts',
      'encoding/request-body.ts',
      'guard/address-guard.ts',
      'guard/pinned-fetch.ts',
      'guard/private-host.ts',
    ],
  },
  'batch-processor': {
    queue: [],
    packs: ['queue'],
    doors: [
      'packs/answer.ts',
      'packs/answer-deltas.ts',
      'packs/image-data-url.ts',
      'packs/pack-answer.ts',
      'packs/pack-limits.ts',
      'packs/pack-request.ts',
      'packs/pack-schema.ts',
      'packs/vision-item.ts',
    ],
  },
  image: {
    formats: [],
    reading: ['formats'],
    identity: ['reading', 'formats'],
    doors: [],
  },
  openai: {
    models: [],
    exchange: ['models'],
    pool: ['exchange', 'models'],
    doors: [
      'exchange/chat-exchange.ts',
      'exchange/exchange.ts',
      'exchange/rate-limit-headers.ts',
      'exchange/request-dialect.ts',
      'exchange/send-exchange.ts',
      'exchange/stream-reader.ts',
      'models/model-checks.ts',
      'models/output-cap.ts',
      'pool/api-address.ts',
    ],
  },
  'describe-client': {
    schema: [],
    options: ['schema'],
    packing: ['options'],
    attempt: ['packing', 'options'],
    reports: ['attempt', 'options'],
    call: ['reports', 'attempt', 'packing', 'options', 'schema'],
    bulk: ['call', 'packing', 'options'],
    tenants: ['.', 'call', 'options'],
    doors: [],
  },
};

/** The files of a room; of `.` those that stand in no room, without index.ts. */
const filesOf = (folder, room) => `^src/${folder}/${room === '.' ? '(?!index\\.ts$)[^/]+$' : `${room}/`}`;

/** Files of a folder that its index.ts names; `http` has none, for it is no entry point. */
const namedByIndex = (folder) =>
  !existsSync(`src/${folder}/index.ts`)
    ? []
    : [...readFileSync(`src/${folder}/index.ts`, 'utf8').matchAll(/from '\.\/([^']+)'/g)].map(([, path]) => path);

// Each of these is imported by one folder only, so that replacing one is one change.
const owners = {
  opossum: 'circuit-breaker',
  'generic-pool': 'resource-pool',
  ioredis: 'redis-cache',
  undici: 'http',
  'prom-client': 'performance-monitor',
};

const tests = '\\.(test(-d)?|fixture)\\.ts$';

module.exports = {
  forbidden: [
    // The base of the errors names the types of its classes, for `DescribeError.is` to narrow to them.
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { pathNot: '^src/errors/errors-by-code\\.ts$' } },
    },
    {
      name: 'nothing-imports-testing',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/testing/', tests] },
      to: { path: '^src/testing/' },
    },
    ...Object.entries(layers).map(([folder, allowed]) => ({
      name: `layer-of-${folder}`,
      severity: 'error',
      from: { path: `^src/${folder}/`, pathNot: [tests, ...(entries[folder] ? [`^src/${folder}/index\\.ts$`] : [])] },
      to: { path: '^src/', pathNot: [folder, ...allowed].map((name) => `^src/${name}/`) },
    })),
    ...Object.entries(entries).map(([folder, also]) => ({
      name: `entry-of-${folder}`,
      severity: 'error',
      from: { path: `^src/${folder}/index\\.ts$` },
      to: { path: '^src/', pathNot: [folder, ...layers[folder], ...also].map((name) => `^src/${name}/`) },
    })),
    ...Object.entries(rooms).flatMap(([folder, { doors, ...own }]) => [
      ...Object.entries(own).map(([room, allowed]) => ({
        name: `room-of-${folder}-${room}`,
        severity: 'error',
        from: { path: `^src/${folder}/${room}/`, pathNot: tests },
        to: { path: `^src/${folder}/`, pathNot: [room, ...allowed].map((name) => filesOf(folder, name)) },
      })),
      {
        name: `doors-of-${folder}`,
        severity: 'error',
        from: { path: '^src/', pathNot: [`^src/${folder}/`, '^src/testing/', tests] },
        to: {
          path: Object.keys(own).map((room) => `^src/${folder}/${room}/`),
          pathNot: [...namedByIndex(folder), ...doors].map((path) => `^src/${folder}/${path.replaceAll('.', '\\.')}$`),
        },
      },
    ]),
    ...Object.entries(owners).map(([dependency, folder]) => ({
      name: `only-${folder}-imports-${dependency}`,
      severity: 'error',
      from: { path: '^src/', pathNot: [`^src/${folder}/`, '^src/testing/', tests] },
      to: { path: `(^|/)node_modules/(@types/)?${dependency}/` },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
