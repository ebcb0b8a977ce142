import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The code around a snippet: the names that it expects, and the checks of the test. */
interface Surroundings {
  readonly imports?: string;
  /** Parameters of the function around a snippet that is no module of its own, with their types. */
  readonly parameters?: string;
  /** The value that the function returns at its end. */
  readonly returns?: string;
  /** The part of the snippet from this line on. */
  readonly from?: string;
  /** The snippet's heading, where it is not the name. */
  readonly of?: string;
}

const CHAT = "import type OpenAI from 'openai';";
const NEXT = `
type NextApiRequest = import('node:http').IncomingMessage & { body: any };
type NextApiResponse = import('node:http').ServerResponse & {
  status(code: number): NextApiResponse;
  json(body: unknown): void;
};`;

const SURROUNDINGS = {
  'connection pool': { imports: CHAT, parameters: 'options: OpenAI.ChatCompletionCreateParamsNonStreaming' },
  'connection pool, wrapper': {
    of: 'connection pool',
    imports: CHAT,
    parameters: 'options: OpenAI.ChatCompletionCreateParamsNonStreaming',
    from: '// Or use the convenience wrapper',
    returns: 'result',
  },
  'pool configuration': {
    imports: "import { OpenAIConnectionPool } from '@describe-it/sdk/openai';",
    parameters: 'baseURL: string',
    returns: 'pool',
  },
  batching: { imports: CHAT, parameters: 'openAIClient: OpenAI', returns: '{ batchProcessor, result }' },
  caching: {
    imports: "import { createCacheWarmer } from '@describe-it/sdk/redis-cache';",
    parameters:
      '{ data, description, data1, data2, imageUrls, fetcherFunction }: { data: object; description: object; data1: object; data2: object; imageUrls: string[]; fetcherFunction: (url: string) => Promise<object> }',
    returns: '{ cache, result }',
  },
  'cache configuration': {
    imports: "import { RedisCache } from '@describe-it/sdk/redis-cache';",
    returns: 'cache',
  },
  'circuit breaker': { parameters: 'openaiClient: any', returns: 'protectedOperation' },
  'resource pool': { parameters: 'clientConfig: { baseURL: string }', returns: '{ httpPool, result }' },
  monitoring: {
    parameters:
      '{ processImage, imageData, currentQueueSize }: { processImage: (data: Uint8Array) => Promise<string>; imageData: Uint8Array; currentQueueSize: number }',
    returns: '{ duration, report }',
  },
  middleware: {
    imports: `${NEXT}\nconst optimizedImageDescription = async (body: unknown) => ({ described: body });`,
  },
  route: { imports: NEXT },
  health: {
    imports: `import { poolManager } from '@describe-it/sdk/openai';
import { getCache } from '@describe-it/sdk/redis-cache';
import { circuitBreakerRegistry } from '@describe-it/sdk/circuit-breaker';
import { getPerformanceMonitor } from '@describe-it/sdk/performance-monitor';${NEXT}`,
  },
} as const satisfies Readonly<Record<string, Surroundings>>;

export type SnippetName = keyof typeof SURROUNDINGS;
export const SNIPPET_NAMES = Object.keys(SURROUNDINGS) as readonly SnippetName[];

const ENTRIES: Readonly<Record<string, string>> = {
  'performance/connection-pool': 'openai',
  'performance/batch-processor': 'batch-processor',
  'cache/redis-cache': 'redis-cache',
  'performance/circuit-breaker': 'circuit-breaker',
  'performance/resource-pool': 'resource-pool',
  'performance/performance-monitor': 'performance-monitor',
};

const page = readFileSync(new URL('users-guide.fixture.md', import.meta.url), 'utf8');

/** A snippet as it stands in the guide. */
export function snippet(heading: string): string {
  const code = new RegExp(`^## ${heading}\\n\`\`\`ts\\n([\\s\\S]*?)^\`\`\``, 'm').exec(page)?.[1];
  if (code === undefined) throw new Error(`the guide has no snippet ${heading}`);
  return code;
}

/** A snippet as a module: its import paths are ours, and what it takes for granted is there. */
function moduleOf(name: SnippetName): string {
  const { of = name, imports = '', parameters, returns, from }: Surroundings = SURROUNDINGS[name];
  const code = snippet(of).replaceAll(/'@\/lib\/([\w/-]+)'/g, (_, path: string) => {
    return `'@describe-it/sdk/${ENTRIES[path]}'`;
  });
  if (code.includes('export default')) return `${imports}\n${code}`;
  const isImport = (line: string) => line.startsWith('import ');
  const lines = code.split('\n');
  const body = lines.filter((line) => !isImport(line)).slice(from === undefined ? 0 : lineOf(lines, from));
  return [
    imports,
    ...lines.filter(isImport),
    `export default async function run(${parameters ?? ''}) {`,
    ...body,
    ...(returns === undefined ? [] : [`return ${returns};`]),
    '}\n',
  ].join('\n');
}

const lineOf = (lines: readonly string[], start: string): number =>
  lines.filter((line) => !line.startsWith('import ')).findIndex((line) => line.startsWith(start));

const ownFolder = fileURLToPath(new URL('../.cache/users-guide', import.meta.url));

/** Writes the module of a snippet inside the repository, so that it finds its packages. */
export function writeSnippet(name: SnippetName, folder = ownFolder): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name.replaceAll(/\W+/g, '-')}.ts`);
  writeFileSync(path, moduleOf(name));
  return path;
}

/** The function that a snippet is, or stands in. */
export async function loadSnippet<Run extends (...args: never[]) => unknown>(name: SnippetName): Promise<Run> {
  const module: { readonly default: Run } = await import(/* @vite-ignore */ pathToFileURL(writeSnippet(name)).href);
  return module.default;
}
