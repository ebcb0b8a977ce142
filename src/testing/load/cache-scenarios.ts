import type { Latency } from '../fake-openai/latency.ts';
import type { LoadScenario } from './load-scenario.ts';

const KNOWN_IMAGES = 100;

const latency: Latency = { distribution: 'log-normal', medianMs: 20, sigma: 0.4 };

export const CACHE_SCENARIOS = {
  'cache operations: hit ratio': {
    name: 'cache operations: hit ratio',
    proves: 'Each of 100 images is asked for once; then memory serves every call.',
    server: { record: false, latency },
    client: {},
    traffic: [{ images: KNOWN_IMAGES }],
    phases: [
      {
        name: 'filling',
        durationMs: 6000,
        rate: 100,
        counted: false,
        drain: true,
        thresholds: { maxRequestsPerCall: (1.02 * KNOWN_IMAGES) / 600 },
      },
      { name: '200 calls a second', durationMs: 8000, rate: 200 },
    ],
    thresholds: { maxErrorRate: 0, maxWrongAnswers: 0, minHitRatio: 0.99, maxRequestsPerCall: 0.01, maxMedianMs: 100 },
  },
  'cache operations: shared by Redis': {
    name: 'cache operations: shared by Redis',
    proves: 'Three clients over one Redis ask for each image once, as three processes do.',
    server: { record: false, latency },
    client: {},
    clients: 3,
    needsRedis: true,
    traffic: [{ images: KNOWN_IMAGES }],
    phases: [{ name: '200 calls a second', durationMs: 8000, rate: 200 }],
    thresholds: { maxErrorRate: 0, maxWrongAnswers: 0, maxRequestsPerCall: (1.05 * KNOWN_IMAGES) / 1600 },
  },
  'Redis down and back': {
    name: 'Redis down and back',
    proves: 'A Redis that dies, hangs or comes back costs no caller an error, and little time.',
    server: { record: false, latency },
    // Memory holds few of the images, so that most known ones are looked up in Redis.
    client: { cache: { memory: { maxEntries: 20 } } },
    needsRedis: true,
    traffic: [{ images: 400 }],
    phases: [
      { name: 'up', durationMs: 4000, rate: 50 },
      { name: 'down', durationMs: 4000, rate: 50, redis: 'kill', thresholds: { maxErrorRate: 0, maxP95Ms: 1000 } },
      { name: 'back', durationMs: 4000, rate: 50, redis: 'restart', thresholds: { maxErrorRate: 0 } },
      { name: 'hung', durationMs: 4000, rate: 50, redis: 'pause', thresholds: { maxErrorRate: 0, maxP95Ms: 1000 } },
      { name: 'well again', durationMs: 4000, rate: 50, redis: 'resume', thresholds: { maxErrorRate: 0 } },
    ],
    thresholds: { maxErrorRate: 0, maxWrongAnswers: 0, maxResponseTime: 3000 },
  },
} as const satisfies Readonly<Record<string, LoadScenario>>;
