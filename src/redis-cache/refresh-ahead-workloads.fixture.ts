import { seededRandom } from '../routing/closed-loop.fixture.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { RedisCache } from './redis-cache.ts';

/*
 * Three seeded workloads, and what refreshing ahead of expiry saves and costs on each. Times are those of a manual
 * clock. Chance is seeded, so that a run can be repeated.
 */

/** A call takes 1 to 10 s, most of them about 3 s, as a vision model does. */
const MEAN_COST_MS = 3_000;
const TTL_SECONDS = 300;

export interface Workload {
  readonly name: string;
  /** The reads of a half an hour, in order of time. */
  reads(random: () => number): Iterable<{ readonly atMs: number; readonly key: string }>;
}

export interface WorkloadResult {
  /** Calls that waited for a factory although their key had been stored before. */
  readonly blocked: number;
  readonly paid: number;
  readonly reads: number;
}

const DURATION_MS = 30 * 60_000;

function* poisson(perSecond: (atMs: number) => number, random: () => number): Generator<number> {
  for (let atMs = 0; ; ) {
    atMs += (-Math.log(1 - random()) / perSecond(atMs)) * 1_000;
    if (atMs >= DURATION_MS) return;
    yield atMs;
  }
}

export const WORKLOADS: readonly Workload[] = [
  {
    // 50 images that a shop shows on every page; each minute has a burst of 10 s.
    name: 'burst catalogue',
    *reads(random) {
      const rate = (atMs: number) => (atMs % 60_000 < 10_000 ? 100 : 10);
      for (const atMs of poisson(rate, random)) yield { atMs, key: `image-${Math.floor(random() * 50)}` };
    },
  },
  {
    // 2,000 images whose popularity falls as 1 / rank^0.9.
    name: 'Zipf 0.9',
    *reads(random) {
      const weights = Array.from({ length: 2_000 }, (_, rank) => 1 / (rank + 1) ** 0.9);
      const sums: number[] = [];
      let sum = 0;
      for (const weight of weights) {
        sum += weight;
        sums.push(sum);
      }
      for (const atMs of poisson(() => 30, random)) {
        const drawn = random() * sum;
        yield { atMs, key: `image-${sums.findIndex((upTo) => drawn < upTo)}` };
      }
    },
  },
  {
    // A crawler walks through 2,000 images again and again, 20 a second.
    name: 'scan',
    *reads() {
      for (let index = 0; index * 50 < DURATION_MS; index += 1) {
        yield { atMs: index * 50, key: `image-${index % 2_000}` };
      }
    },
  },
];

/** Runs a workload on a cache in memory. */
export async function runWorkload(
  workload: Workload,
  refreshAheadRatio: number,
  seed = 20_261_128,
): Promise<WorkloadResult> {
  const clock = new ManualClock();
  const random = seededRandom(seed + 1);
  const cache = new RedisCache({
    ...{ clock, random, refreshAheadRatio, refreshAheadPerMinute: 600, defaultTTL: TTL_SECONDS },
  });
  const chance = seededRandom(seed);
  let paid = 0;
  let blocked = 0;
  let reads = 0;
  const stored = new Set<string>();
  const running: Promise<unknown>[] = [];
  for (const { atMs, key } of workload.reads(seededRandom(seed + 2))) {
    if (atMs > clock.now()) await clock.advance(atMs - clock.now());
    reads += 1;
    const factory = async () => {
      paid += 1;
      const costMs = Math.min(10_000, Math.max(1_000, MEAN_COST_MS * Math.exp((chance() + chance() - 1) * 0.8)));
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, costMs));
      return key;
    };
    const wasStored = stored.has(key);
    const call = cache.getOrSetWithSource(key, factory).then(({ source }) => {
      stored.add(key);
      if (wasStored && (source === 'factory' || source === 'shared')) blocked += 1;
    });
    running.push(call);
  }
  await clock.advance(20_000);
  await Promise.all(running);
  await cache.close();
  return { blocked, paid, reads };
}
