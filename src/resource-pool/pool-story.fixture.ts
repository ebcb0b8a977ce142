import fc from 'fast-check';

/** Behaviour of a hook of the factory. */
const hook = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ does: 'ok' } as const) },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constant('later' as const), ms: fc.integer({ min: 1, max: 60 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ does: 'no' } as const) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('no later' as const), ms: fc.integer({ min: 1, max: 60 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ does: 'throw' } as const) },
  { weight: 1, arbitrary: fc.constant({ does: 'hang' } as const) },
);
export type Hook = typeof hook extends fc.Arbitrary<infer Value> ? Value : never;

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('acquire' as const),
      priority: fc.integer({ min: -1, max: 1 }),
      timeoutMs: fc.option(fc.integer({ min: 1, max: 80 }), { nil: undefined }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('use' as const),
      ms: fc.integer({ min: 0, max: 30 }),
      ends: fc.constantFrom('well' as const, 'error' as const, 'broken' as const, 'throw' as const),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('release' as const), at: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('destroyLease' as const), at: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('releaseTwice' as const), at: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('abort' as const), at: fc.nat(20) }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 70 }) }),
  },
  { weight: 3, arbitrary: fc.constant({ do: 'flush' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'warmUp' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'checkIdle' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('suspect' as const), at: fc.nat(20) }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom({ do: 'drain' as const }, { do: 'close' as const }, { do: 'destroy' as const }),
  },
);
export type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

export const story = fc.record({
  maxSize: fc.integer({ min: 1, max: 4 }),
  minShare: fc.integer({ min: 0, max: 4 }),
  maxWaiting: fc.constantFrom(0, 2, 100),
  maxUsageCount: fc.constantFrom(undefined, 1, 3),
  maxLifetimeMs: fc.constantFrom(undefined, 120),
  validates: fc.boolean(),
  resets: fc.boolean(),
  tracksLeaks: fc.boolean(),
  /** Calls of the pool by listeners and hooks, one after the other. */
  meddling: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.array(
        fc.oneof(
          { weight: 6, arbitrary: fc.constant('nothing' as const) },
          { weight: 3, arbitrary: fc.constantFrom('acquire' as const, 'abort' as const, 'release' as const) },
          { weight: 1, arbitrary: fc.constantFrom('destroy' as const, 'close' as const) },
        ),
        { minLength: 1, maxLength: 20 },
      ),
    },
  ),
  hooks: fc.array(hook, { minLength: 1, maxLength: 12 }),
  steps: fc.array(step, { minLength: 1, maxLength: 40 }),
  ending: fc.constantFrom('close' as const, 'destroy' as const, 'drain and close' as const),
});
export type Story = typeof story extends fc.Arbitrary<infer Value> ? Value : never;
