import { readdir } from 'node:fs/promises';
import type { Bench } from '../define-bench.ts';

export interface FoundBench {
  /** URL of its module. */
  readonly module: string;
  readonly bench: Bench;
}

const FOLDER = new URL('../benches/', import.meta.url);

/** All benches of the gate, by name. The package must resolve, for their modules import it. */
export async function findBenches(): Promise<readonly FoundBench[]> {
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith('.ts')).sort();
  const found: FoundBench[] = [];
  for (const file of files) {
    const module = new URL(file, FOLDER).href;
    const { benches } = (await import(module)) as { readonly benches: readonly Bench[] };
    found.push(...benches.map((bench) => ({ module, bench })));
  }
  return found;
}

/** Those whose name contains the text, whatever its case. */
export const matching = (found: readonly FoundBench[], grep: string | undefined): readonly FoundBench[] =>
  grep === undefined ? found : found.filter(({ bench }) => bench.name.toLowerCase().includes(grep.toLowerCase()));
