// What a user of each entry point loads of our own code, minified and compressed, plus about 5 %. Dependencies are not
// counted, for they are loaded at first use or measured by `npm run perf:benchmark -- --grep import-cost`.
const BUDGETS = {
  index: '146 kB',
  // Holds a pool of its own, the whole HTTP connection, and the prices and image rules of the models.
  openai: '36 kB',
  // Reads the answers and failures of vision servers and decides by the table of failures whom they blame.
  'batch-processor': '29 kB',
  // Holds a circuit breaker of its own, and with it the table of failures.
  'redis-cache': '39 kB',
  // Loads all of the small modules that entry points share: one file costs less time than their code does.
  'circuit-breaker': '13 kB',
  'resource-pool': '21.5 kB',
  'performance-monitor': '14 kB',
  // Holds a circuit breaker's table of failures, the router, the quota and its Redis scripts, and the retry budget.
  routing: '23 kB',
  image: '18 kB',
  // Holds the fake server, and the load scenarios with their generator.
  testing: '35.5 kB',
};

export default Object.entries(BUDGETS).map(([entry, limit]) => ({
  name: entry === 'index' ? '@describe-it/sdk' : `@describe-it/sdk/${entry}`,
  path: `dist/${entry}.js`,
  limit,
  ignore: ['openai', 'ioredis', '#*'],
  modifyEsbuildConfig: (config) => ({ ...config, platform: 'node', logLevel: 'error' }),
}));
