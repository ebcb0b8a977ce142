import { AdaptiveConcurrency } from './router/adaptive-concurrency.ts';

/** A server as the limit sees it: how long an answer takes with this many in flight, and whether it refuses. */
export interface SimulatedServer {
  latencyMs(inFlight: number, outputTokens: number, nowMs: number): number;
  refuses?(inFlight: number, nowMs: number): boolean;
}

export interface ClosedLoopOptions {
  readonly server: SimulatedServer;
  readonly durationMs: number;
  readonly seed: number;
  readonly maxConcurrency?: number;
  readonly initialConcurrency?: number;
  /** Output tokens of a call; by default the same for all. */
  readonly outputTokens?: (random: () => number, nowMs: number) => number;
  /** Most calls that want to be in flight. */
  readonly demand?: number;
  /** Share of calls that are aborted halfway. */
  readonly abortRatio?: number;
}

export interface ClosedLoopSample {
  readonly atMs: number;
  readonly limit: number;
  readonly answers: number;
}

interface Flight {
  readonly startedAtMs: number;
  readonly endsAtMs: number;
  readonly latencyMs: number;
  readonly outputTokens: number;
  readonly end: 'answer' | 'refusal' | 'abort';
}

/** Keeps as many calls in flight as the limit allows, and reports the limit and the answers of each second. */
export function closedLoop({
  server,
  durationMs,
  seed,
  maxConcurrency = 256,
  initialConcurrency,
  outputTokens = () => 100,
  demand = Number.POSITIVE_INFINITY,
  abortRatio = 0,
}: ClosedLoopOptions): readonly ClosedLoopSample[] {
  const random = seededRandom(seed);
  const concurrency = new AdaptiveConcurrency({ maxConcurrency, initialConcurrency });
  const flights: Flight[] = [];
  const samples: ClosedLoopSample[] = [];
  let answers = 0;
  for (let nowMs = 0; nowMs < durationMs; ) {
    while (flights.length < Math.min(demand, concurrency.limit)) {
      const tokens = outputTokens(random, nowMs);
      const refused = server.refuses?.(flights.length + 1, nowMs) === true;
      const aborted = random() < abortRatio;
      const noise = 0.8 + 0.4 * random();
      const whole = server.latencyMs(flights.length + 1, tokens, nowMs) * noise;
      const latencyMs = refused ? 20 : aborted ? whole / 2 : whole;
      const end = refused ? 'refusal' : aborted ? 'abort' : 'answer';
      flights.push({ startedAtMs: nowMs, endsAtMs: nowMs + latencyMs, latencyMs, outputTokens: tokens, end });
    }
    flights.sort((one, other) => other.endsAtMs - one.endsAtMs);
    const next = flights.at(-1);
    if (next === undefined) break;
    nowMs = next.endsAtMs;
    for (let second = samples.length * 1_000 + 1_000; second <= nowMs; second += 1_000) {
      samples.push({ atMs: second, limit: concurrency.limit, answers });
      answers = 0;
    }
    if (next.end === 'refusal') concurrency.overloaded(next.startedAtMs, nowMs);
    if (next.end === 'answer') {
      answers += 1;
      concurrency.answered({ ...next, nowMs, inFlight: flights.length });
    }
    flights.pop();
  }
  return samples;
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
