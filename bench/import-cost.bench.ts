import { existsSync } from 'node:fs';
import { defineSuite, freshProcess } from './harness/index.ts';

const dist = (file: string) => new URL(`../dist/${file}`, import.meta.url);

// Cold starts matter: openai, undici and ioredis load at first use only, which this gate holds.
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
    },
    gates: { '@describe-it/sdk': 0.6, '@describe-it/sdk/circuit-breaker': 0.15 },
    setup() {
      if (!existsSync(dist('index.js'))) throw new Error('dist is missing: run `npm run build` first');
      return undefined;
    },
  }),
];
