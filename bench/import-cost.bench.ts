import { existsSync } from 'node:fs';
import { defineSuite, freshProcess } from './harness/index.ts';

const dist = (file: string) => new URL(`../dist/${file}`, import.meta.url);

// Cold starts matter, so openai, ioredis and both copies of undici, Node's own included, load at first use. These gates
// prove it.
export const suites = [
  defineSuite({
    name: 'import cost',
    baseline: 'openai',
    contenders: {
      openai: freshProcess({ module: import.meta.resolve('openai'), expectedExport: 'OpenAI' }),
      '@describe-it/sdk': freshProcess({ module: dist('index.js'), expectedExport: 'createDescribeClient' }),
      '@describe-it/sdk/circuit-breaker': freshProcess({
        module: dist('circuit-breaker.js'),
        expectedExport: 'CircuitBreaker',
      }),
      '@describe-it/sdk/performance-monitor': freshProcess({
        module: dist('performance-monitor.js'),
        expectedExport: 'PerformanceMonitor',
      }),
    },
    // CPU time is gated too, because it is the same on a busy machine.
    gates: {
      '@describe-it/sdk': { maxRatio: 0.6, maxCpuRatio: 0.6 },
      '@describe-it/sdk/circuit-breaker': { maxRatio: 0.15, maxCpuRatio: 0.15 },
      '@describe-it/sdk/performance-monitor': { maxRatio: 0.2, maxCpuRatio: 0.2 },
    },
    setup() {
      if (!existsSync(dist('index.js'))) throw new Error('dist is missing: run `npm run build` first');
      return undefined;
    },
  }),
];
