import { readdir } from 'node:fs/promises';
import type { Suite } from './suite.ts';

export interface FoundSuite {
  readonly file: string;
  readonly suite: Suite;
}

/** The suites of every `*.bench.ts` of a folder whose name, or whose file's name, contains `grep`. */
export async function findSuites(folder: URL, grep: string | undefined): Promise<readonly FoundSuite[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.bench.ts')).sort();
  const found: FoundSuite[] = [];
  for (const file of files) {
    const wholeFile = grep === undefined || file.toLowerCase().includes(grep);
    const suites = await loadSuites(new URL(file, folder), wholeFile);
    for (const suite of suites) {
      if (wholeFile || suite.name.toLowerCase().includes(grep)) found.push({ file, suite });
    }
  }
  return found;
}

async function loadSuites(url: URL, asked: boolean): Promise<readonly Suite[]> {
  try {
    const { suites } = (await import(url.href)) as { suites?: readonly Suite[] };
    if (!Array.isArray(suites)) throw new TypeError('exports no list called suites');
    return suites as readonly Suite[];
  } catch (cause) {
    // A broken file that was not named is ignored: it could only have held a suite of that name.
    if (!asked) return [];
    throw new Error(`${url.pathname.split('/').at(-1)} can't be loaded`, { cause });
  }
}

/** One suite of a file by its name. */
export async function findSuite(url: URL, name: string): Promise<Suite> {
  const suite = (await loadSuites(url, true)).find((each) => each.name === name);
  if (suite === undefined) throw new RangeError(`${url.pathname.split('/').at(-1)} has no suite called ${name}`);
  return suite;
}
