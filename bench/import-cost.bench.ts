import { existsSync } from 'node:fs';
import { defineSuite, freshProcess } from './harness/index.ts';

const dist = (file: string) => new URL(`../dist/${file}`, import.meta.url);

// Cold starts matter, so openai, ioredis and both copies of undici, Node's own included, load at first use. These gates
// prove it.
const setup = () => {
  if (!existsSync(dist('index.js'))) throw new Error('dist is missing: run `npm run build` first');
  return undefined;
};

export const suites = [
  defineSuite({
    name: 'import cost: the client',
    baseline: 'openai',
    contenders: {
      openai: freshProcess({ module: import.meta.resolve('openai'), expectedExport: 'OpenAI' }),
      '@describe-it/sdk': freshProcess({ module: dist('index.js'), expectedExport: 'createDescribeClient' }),
    },
    // CPU time is gated too, because it is the same on a busy machine.
    gates: { '@describe-it/sdk': { maxRatio: 0.6, maxCpuRatio: 0.6 } },
    setup,
  }),
  defineSuite({
    name: 'import cost: the circuit breaker alone',
    baseline: 'opossum',
    contenders: {
      opossum: freshProcess({ module: import.meta.resolve('opossum'), expectedExport: 'default' }),
      cockatiel: freshProcess({ module: import.meta.resolve('cockatiel'), expectedExport: 'circuitBreaker' }),
      openai: freshProcess({ module: import.meta.resolve('openai'), expectedExport: 'OpenAI' }),
      '@describe-it/sdk/circuit-breaker': freshProcess({
        module: dist('circuit-breaker.js'),
        expectedExport: 'CircuitBreaker',
      }),
    },
    // No peer, but the measure of how little of the whole an entry point loads.
    floors: ['openai'],
    gates: { '@describe-it/sdk/circuit-breaker': { versus: 'openai', maxRatio: 0.15, maxCpuRatio: 0.15 } },
    setup,
  }),
  defineSuite({
    name: 'import cost: the monitor alone',
    baseline: 'prom-client',
    contenders: {
      'prom-client': freshProcess({ module: import.meta.resolve('prom-client'), expectedExport: 'default' }),
      openai: freshProcess({ module: import.meta.resolve('openai'), expectedExport: 'OpenAI' }),
      '@describe-it/sdk/performance-monitor': freshProcess({
        module: dist('performance-monitor.js'),
        expectedExport: 'PerformanceMonitor',
      }),
    },
    floors: ['openai'],
    gates: { '@describe-it/sdk/performance-monitor': { versus: 'openai', maxRatio: 0.2, maxCpuRatio: 0.2 } },
    setup,
  }),
];
