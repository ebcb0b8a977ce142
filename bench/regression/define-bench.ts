import { defineSuite, type Sample, type Suite } from '../harness/suite.ts';

/** A process that a bench talks to. The gate starts each once for a whole run. */
export type Service = 'openai' | 'redis';

/** Addresses of the services that a bench asked for. */
export type ServiceUrls = Readonly<Partial<Record<Service, string>>>;

/** Bytes that one kept object takes, measured after the timed part. */
export interface MemoryMeasure<Context> {
  /** Objects that are kept at the same time. */
  readonly count: number;
  /** Makes one object. The gate keeps the result of each call, or of its promise. */
  make(context: Context, index: number): unknown;
}

export interface BenchDefinition<Context> {
  /** `--grep` matches it. The report shows it. */
  readonly name: string;
  readonly needs?: readonly Service[];
  /**
   * The clock that decides between `same` and `cannot tell`: `cpu` for work of this process, `wall` for a bench that
   * waits for another process. Both clocks can say `slower`. @defaultValue 'cpu'
   */
  readonly clock?: 'cpu' | 'wall';
  /** Operations in one run. @defaultValue 1 */
  readonly operations?: number;
  setup(services: ServiceUrls): Context | Promise<Context>;
  /** One run, sync or async. */
  run(context: Context): unknown;
  /** False, or a throw, fails the bench: the (awaited) result of a run is wrong. */
  verify(result: unknown, context: Context): boolean;
  /**
   * Operations that the product itself has counted so far. It must grow by exactly the operations of the runs, so that
   * an operation that returns the right value without work fails the bench.
   */
  count(context: Context): number | Promise<number>;
  readonly memory?: MemoryMeasure<Context>;
  teardown?(context: Context): unknown;
}

/** A bench whose context type is hidden. */
export interface Bench {
  readonly name: string;
  readonly needs: readonly Service[];
  readonly clock: 'cpu' | 'wall';
  readonly measuresMemory: boolean;
  /** The bench as a suite of the harness with one contender, which verifies results and counts. */
  suite(services: ServiceUrls, change?: RunChange): Suite;
  /** Bytes of one kept object, by `MemoryMeasure`. */
  measureMemory(services: ServiceUrls, settledHeap: () => number): Promise<number>;
}

/** Puts something around the run of a bench: more work for a trial of the gate, or a planted fault. */
export type RunChange = (run: () => unknown) => () => unknown;

export function defineBench<Context>(definition: BenchDefinition<Context>): Bench {
  const { name, needs = [], clock = 'cpu', memory } = definition;
  return {
    name,
    needs,
    clock,
    measuresMemory: memory !== undefined,
    suite: (services, change) => suiteOf(definition, services, change),
    measureMemory: async (services, settledHeap) => {
      if (memory === undefined) throw new Error(`${name}: measures no memory`);
      const context = await definition.setup(services);
      try {
        return await bytesEach(memory, context, settledHeap);
      } finally {
        await definition.teardown?.(context);
      }
    },
  };
}

/** A bench that measures itself, once a process: for what can be done only once, such as an import. */
export function defineSampledBench(definition: { readonly name: string; sample(): Promise<Sample> }): Bench {
  const { name, sample } = definition;
  return {
    name,
    needs: [],
    clock: 'cpu',
    measuresMemory: false,
    suite: () => defineSuite({ name, baseline: 'operation', contenders: { operation: { sample } } }),
    measureMemory: () => Promise.reject(new Error(`${name}: measures no memory`)),
  };
}

function suiteOf<Context>(
  { name, operations = 1, setup, run, verify, count, teardown }: BenchDefinition<Context>,
  services: ServiceUrls,
  change: RunChange = (unchanged) => unchanged,
): Suite {
  let before = 0;
  let changed: (() => unknown) | undefined;
  return defineSuite<Context>({
    name,
    baseline: 'operation',
    setup: () => setup(services),
    ...(teardown !== undefined && { teardown: (context: Context) => teardown(context) }),
    contenders: {
      operation: {
        operations,
        run: (context) => {
          changed ??= change(() => run(context));
          return changed();
        },
        verify,
        beforeSlice: async (context) => {
          before = await count(context);
        },
        afterSlice: async (context, expected) => {
          const counted = (await count(context)) - before;
          if (counted !== expected) throw new Error(`${name}: ${counted} of ${expected} operations were counted`);
        },
      },
    },
  });
}

async function bytesEach<Context>(
  { count, make }: MemoryMeasure<Context>,
  context: Context,
  settledHeap: () => number,
): Promise<number> {
  // The first object also loads and compiles code.
  await make(context, -1);
  const kept: unknown[] = new Array(count).fill(undefined);
  const before = settledHeap();
  for (let index = 0; index < count; index += 1) kept[index] = await make(context, index);
  const bytes = (settledHeap() - before) / count;
  if (kept.length !== count) throw new Error('the objects were not kept');
  return bytes;
}
