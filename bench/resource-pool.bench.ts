import { createPool } from 'generic-pool';
import { Pool as TarnPool } from 'tarn';
import { ResourcePool } from '../src/resource-pool/index.ts';
import { defineSuite } from './harness/index.ts';

const SLOTS = 10;
const CALLERS = 32;
/** Uses of one caller in a run, one after the other. */
const USES = 8;
const ACQUIRE_TIMEOUT_MS = 30_000;

interface Thing {
  uses: number;
}

const create = async (): Promise<Thing> => ({ uses: 0 });
const destroy = async () => {};

/** Every contender does the same with a resource: one asynchronous step, as the shortest of calls has. */
const work = async (thing: Thing) => {
  thing.uses += 1;
  return 1;
};

type Use = () => PromiseLike<number>;

function contenders() {
  const ours = new ResourcePool<Thing>({
    factory: { create, destroy },
    maxSize: SLOTS,
    acquireTimeoutMs: ACQUIRE_TIMEOUT_MS,
  });
  const generic = createPool<Thing>({ create, destroy }, { max: SLOTS, acquireTimeoutMillis: ACQUIRE_TIMEOUT_MS });
  const tarn = new TarnPool<Thing>({
    create,
    destroy,
    min: 0,
    max: SLOTS,
    acquireTimeoutMillis: ACQUIRE_TIMEOUT_MS,
  });
  const tarnUse = async () => {
    const thing = await tarn.acquire().promise;
    try {
      return await work(thing);
    } finally {
      tarn.release(thing);
    }
  };
  return {
    ours: () => ours.use(work),
    'generic-pool': () => generic.use(work),
    tarn: tarnUse,
    close: async () => {
      await ours.close();
      await generic.drain();
      await generic.clear();
      await tarn.destroy();
    },
  };
}

type Context = ReturnType<typeof contenders>;

const caller = async (use: Use) => {
  let done = 0;
  for (let index = 0; index < USES; index += 1) done += await use();
  return done;
};

const crowd = async (use: Use) => {
  const done = await Promise.all(Array.from({ length: CALLERS }, () => caller(use)));
  return done.reduce((sum, one) => sum + one, 0);
};

const NAMES = ['ours', 'generic-pool', 'tarn'] as const;
type Name = (typeof NAMES)[number];

const suite = (
  name: string,
  baseline: Name,
  maxRatio: number,
  operations: number,
  run: (use: Use) => Promise<number>,
) =>
  defineSuite<Context>({
    name,
    baseline,
    setup: contenders,
    teardown: (context) => context.close(),
    contenders: Object.fromEntries(
      (['ours', baseline] as const).map((contender) => [
        contender,
        { run: (context: Context) => run(context[contender]), operations },
      ]),
    ),
    verify: (result) => result === operations,
    gates: { ours: maxRatio },
  });

const pair = (baseline: Name, maxRatio: number) => [
  suite(`resource pool: use, idle, against ${baseline}`, baseline, maxRatio, USES, caller),
  suite(
    `resource pool: use, ${CALLERS} callers over ${SLOTS} slots, against ${baseline}`,
    baseline,
    maxRatio,
    CALLERS * USES,
    crowd,
  ),
];

export const suites = [...pair('generic-pool', 0.8), ...pair('tarn', 0.7)];
