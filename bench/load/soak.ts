import {
  findRedisServer,
  LOAD_SCENARIOS,
  type LoadProgress,
  type LoadResult,
  type LoadScenario,
  runLoadScenario,
} from '../../src/testing/index.ts';
import { type Composed, compose, warmUp } from './compose.ts';
import { type Trend, trendOf } from './leak-trend.ts';
import { type OpenResources, readResources } from './open-resources.ts';
import { type Plant, plantLeak } from './plants.ts';

export interface SoakResult {
  readonly result: LoadResult;
  /** One for each kind of resource. */
  readonly leaks: readonly Trend[];
}

const WINDOW_SECONDS = 25;
const MIN_WINDOWS = 12;
/** Windows at the start in which caches fill and code is compiled; their counts are not judged. */
const WARM_UP_RATIO = 0.2;

const MIN_BYTES = 256 * 1024;
const BYTES_PER_CALL = 16;

/** Growth over the whole soak that counts as none; `calls` are those of the judged windows. */
const toleranceOf = (resource: string, calls: number): number => {
  // Inline caches and statistics grow for a while; an object that is kept costs more than this for each call.
  if (resource.endsWith('bytes')) return Math.max(MIN_BYTES, BYTES_PER_CALL * calls);
  return 0.5;
};

const warmUpWindows = (windows: number) => Math.ceil(windows * WARM_UP_RATIO);
const windowsOf = (minutes: number) => Math.max(MIN_WINDOWS, Math.round((minutes * 60) / WINDOW_SECONDS));

/** The mixed traffic in windows, each of which ends with no call in work. */
export function soakScenario(minutes: number): LoadScenario {
  const mixed: LoadScenario = LOAD_SCENARIOS['mixed traffic'];
  const [phase] = mixed.phases;
  if (phase === undefined) throw new Error('mixed traffic has no phase');
  const windows = windowsOf(minutes);
  const durationMs = (minutes * 60_000) / windows;
  const phases = Array.from({ length: windows }, (_, window) => ({
    ...phase,
    name: `window ${window + 1} of ${windows}`,
    durationMs,
    drain: true,
    counted: window >= warmUpWindows(windows),
  }));
  return { ...mixed, phases, needsRedis: findRedisServer() !== undefined };
}

/** Runs mixed traffic for so many minutes, and judges what the process holds after each window. */
export async function runSoak(
  minutes: number,
  plant: Plant | undefined,
  onProgress: (progress: LoadProgress) => void,
): Promise<SoakResult> {
  const scenario = soakScenario(minutes);
  const composed = await compose(scenario);
  try {
    return await soak(scenario, composed, plant, onProgress);
  } finally {
    await composed.close();
  }
}

async function soak(
  scenario: LoadScenario,
  { targets, server, redis }: Composed,
  plant: Plant | undefined,
  onProgress: (progress: LoadProgress) => void,
): Promise<SoakResult> {
  const { signal } = new AbortController();
  await warmUp(targets);
  const [inner] = targets;
  if (inner === undefined) throw new Error('the soak has no client');
  const { target, uproot } = plantLeak(plant, inner, signal, server.port);
  const readings: OpenResources[] = [];
  const calls: number[] = [];
  try {
    const result = await runLoadScenario(target, scenario, {
      server,
      onProgress,
      onPhaseEnd: async (phase) => {
        calls.push(phase.calls);
        readings.push(await readResources({ signal, server, redis }));
      },
    });
    const first = warmUpWindows(readings.length);
    const judged = calls.slice(first).reduce((sum, count) => sum + count, 0);
    return { result, leaks: trendsOf(readings.slice(first), judged) };
  } finally {
    uproot();
  }
}

function trendsOf(readings: readonly OpenResources[], calls: number): readonly Trend[] {
  const names = Object.keys(readings[0] ?? {}) as (keyof OpenResources)[];
  return names.map((name) => {
    const values = readings.map((reading) => reading[name] ?? 0);
    return trendOf(name, values, toleranceOf(name, calls));
  });
}
