import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    openai: 'src/openai/index.ts',
    'batch-processor': 'src/batch-processor/index.ts',
    'redis-cache': 'src/redis-cache/index.ts',
    'circuit-breaker': 'src/circuit-breaker/index.ts',
    'resource-pool': 'src/resource-pool/index.ts',
    'performance-monitor': 'src/performance-monitor/index.ts',
    testing: 'src/testing/index.ts',
  },
  format: ['esm', 'cjs'],
  target: 'es2022',
  platform: 'node',
  dts: true,
  splitting: true,
  clean: true,
  sourcemap: true,
});
