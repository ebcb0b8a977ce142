// What a user of each entry point loads of our own code, minified and gzipped; dependencies are not counted, for they
// are loaded at first use or measured by `npm run perf:benchmark -- --grep import-cost`.
const BUDGETS = {
  index: '110 kB',
  openai: '20 kB',
  'batch-processor': '16 kB',
  'redis-cache': '28 kB',
  'circuit-breaker': '12 kB',
  'resource-pool': '20 kB',
  'performance-monitor': '16 kB',
  testing: '30 kB',
};

export default Object.entries(BUDGETS).map(([entry, limit]) => ({
  name: entry === 'index' ? '@describe-it/sdk' : `@describe-it/sdk/${entry}`,
  path: `dist/${entry}.js`,
  limit,
  ignore: ['openai', 'ioredis', 'lru-cache', '#*'],
  modifyEsbuildConfig: (config) => ({ ...config, platform: 'node', logLevel: 'error' }),
}));
