// Measures one bench of one build in a process of its own. Started by spawn-child.ts, with a ChildRequest as JSON.
import { collectGarbage } from '../../harness/collect-garbage.ts';
import type { Bench } from '../define-bench.ts';
import { loadPackageFrom } from './build-hooks.ts';
import { withExtraWork } from './extra-work.ts';
import { findPlan, measureRun } from './measure-run.ts';
import type { ChildAnswer, ChildRequest } from './plan.ts';

const request = JSON.parse(process.argv[2] ?? '') as ChildRequest;
loadPackageFrom(request.build);
const { benches } = (await import(request.module)) as { readonly benches: readonly Bench[] };
const bench = benches.find(({ name }) => name === request.bench);
if (bench === undefined) throw new Error(`${request.module} has no bench ${request.bench}`);

console.log(JSON.stringify(await answer(bench)));
process.exit(0);

async function answer({ suite, measureMemory }: Bench): Promise<ChildAnswer> {
  const { services, plan, extraBytes, memory } = request;
  const prepared = await suite(services, extraBytes === undefined ? undefined : withExtraWork(extraBytes)).prepare();
  const [contender] = prepared.contenders;
  if (contender === undefined) throw new Error(`${request.bench}: nothing to run`);
  if (contender.kind === 'sampled') {
    const { value, cpuMs } = await contender.sample();
    if (cpuMs === undefined) throw new Error(`${request.bench}: the sample has no CPU time`);
    if (plan === undefined) {
      const once = { warmUpRuns: 0, runsPerSample: 1, samples: 1 };
      return { kind: 'plan', plan: once, operations: 1 };
    }
    return { kind: 'sample', sample: { cpu: cpuMs * 1_000, wall: value * 1_000 } };
  }
  if (plan === undefined) {
    return { kind: 'plan', plan: await findPlan(contender), operations: contender.operations };
  }
  const sample = await measureRun(contender, plan);
  await prepared.teardown();
  if (memory !== true) return { kind: 'sample', sample };
  return { kind: 'sample', sample: { ...sample, memory: await measureMemory(services, settledHeap) } };
}

/** Bytes in use after a garbage collection. */
function settledHeap(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
