import { readFileSync } from 'node:fs';

/** Every package that a bench measures, in the order of the report. */
const PACKAGES = [
  'opossum',
  'cockatiel',
  'generic-pool',
  'tarn',
  'lru-cache',
  'bentocache',
  'cacheable',
  'ioredis',
  'dataloader',
  'p-queue',
  'prom-client',
  'sharp',
  'openai',
  'ai',
  '@ai-sdk/openai',
  '@langchain/openai',
] as const;

const FOLDERS = ['../../node_modules/', '../peers/node_modules/'].map((path) => new URL(path, import.meta.url));

/** The versions that are installed here. */
export function packageVersions(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    PACKAGES.flatMap((name) => {
      const version = FOLDERS.map((folder) => versionIn(folder, name)).find((each) => each !== undefined);
      return version === undefined ? [] : [[name, version]];
    }),
  );
}

function versionIn(folder: URL, name: string): string | undefined {
  try {
    const { version } = JSON.parse(readFileSync(new URL(`${name}/package.json`, folder), 'utf8'));
    return String(version);
  } catch {
    return undefined;
  }
}
