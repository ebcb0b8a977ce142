import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { RedisServer } from '@describe-it/sdk/testing';
import { Draw } from './draw.ts';
import type { Json } from './normalise.ts';
import { QuietWatch } from './quiet.ts';
import type { Family } from './scenario.ts';
import { type Recording, type Sdk, Stage, type Testing } from './stage.ts';
import { type Globals, patchGlobals, VirtualClock } from './virtual-time.ts';

/**
 * Records what the package under `--root` does in seeded scenarios, for `compare.ts`:
 * `node .ci/journal/record.ts --root <repository> --out <file.json or .json.gz> [--seed 1] [--scenarios 200] [--only name]`
 */
const { values } = parseArgs({
  options: {
    root: { type: 'string', default: '.' },
    out: { type: 'string' },
    seed: { type: 'string', default: '1' },
    scenarios: { type: 'string', default: '200' },
    only: { type: 'string', default: '' },
  },
});
if (values.out === undefined) throw new Error('record.ts needs --out <file.json or file.json.gz>');

for (const name of Object.keys(process.env))
  if (/^(OPENAI|REDIS|BATCH|PERFORMANCE)_|_proxy$/i.test(name)) delete process.env[name];

const globals: Globals = patchGlobals();
const load = (path: string) => import(pathToFileURL(resolve(values.root, path)).href);
const sdk: Sdk = await load('src/index.ts');
const testing: Testing = await load('src/testing/index.ts');
const { FAMILIES } = await import('./scenarios/index.ts');

let redis: RedisServer | undefined;
const recording: Recording = {
  sdk,
  testing,
  watch: new QuietWatch(() => globals.waitsForShortTimer),
  redisUrl: async () => {
    redis ??= await testing.startRedisServer();
    return redis.url;
  },
};

async function play(family: Family, index: number, seed: number): Promise<Json> {
  const { time = 'virtual', isConcurrent = false } = family;
  const clock = time === 'virtual' ? new VirtualClock() : undefined;
  globals.use(clock, seed);
  const stage = new Stage(recording, new Draw(seed), clock, {
    hasVirtualTime: clock !== undefined,
    isConcurrent,
  });
  const failure = await family.run(stage, index).then(
    () => undefined,
    (error: unknown) => error ?? 'nothing',
  );
  const record = await stage.finish(failure);
  globals.use(undefined, 0);
  recording.watch.forget();
  return record;
}

const scenarios = FAMILIES.flatMap((family) =>
  Array.from({ length: family.count }, (_, index) => ({
    family,
    index,
    name: `${family.name}-${index + 1}`,
  })),
).slice(0, Number(values.scenarios));
const records: Record<string, Json> = {};
for (const [place, { family, index, name }] of scenarios.entries()) {
  if (!name.startsWith(values.only)) continue;
  records[name] = await play(family, index, Number(values.seed) * 100_003 + place);
}
await redis?.stop();

const text = `${JSON.stringify({ seed: Number(values.seed), scenarios: records }, null, 1)}\n`;
mkdirSync(dirname(resolve(values.out)), { recursive: true });
writeFileSync(values.out, values.out.endsWith('.gz') ? gzipSync(text, { level: 9 }) : text);
console.log(`${Object.keys(records).length} scenarios recorded to ${values.out}`);
process.exit(0);
