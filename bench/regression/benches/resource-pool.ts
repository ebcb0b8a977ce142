import { ResourcePool } from '@describe-it/sdk/resource-pool';
import { defineBench } from '../define-bench.ts';

const SLOTS = 10;
const CALLERS = 32;
const USES = 4;

const once = async (thing: { uses: number }) => {
  thing.uses += 1;
  return 1;
};

export const benches = [
  defineBench({
    name: `resource pool: ${CALLERS} callers over ${SLOTS} slots`,
    operations: CALLERS * USES,
    setup: () =>
      new ResourcePool<{ uses: number }>({
        factory: { create: async () => ({ uses: 0 }), destroy: async () => {} },
        maxSize: SLOTS,
        acquireTimeoutMs: 30_000,
      }),
    run: async (pool) => {
      const caller = async () => {
        let done = 0;
        for (let index = 0; index < USES; index += 1) done += await pool.use(once);
        return done;
      };
      const done = await Promise.all(Array.from({ length: CALLERS }, caller));
      return done.reduce((sum, one) => sum + one, 0);
    },
    verify: (done) => done === CALLERS * USES,
    count: (pool) => pool.getStats().acquired,
    teardown: (pool) => pool.close(),
  }),
];
