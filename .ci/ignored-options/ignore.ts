import ts from 'typescript';

/** How the options of one spec are ignored: the file, and the text there that is written anew. */
interface Planting {
  readonly file: string;
  readonly rewrite: (code: string, path: readonly string[]) => string;
}

/** Replaces every match, and throws where there is none: then the source has changed, and this file must follow. */
function replaced(code: string, find: RegExp, replace: (...match: readonly string[]) => string): string {
  let count = 0;
  const result = code.replace(find, (...match) => {
    count += 1;
    return replace(...match.filter((part) => typeof part === 'string'));
  });
  if (count === 0) throw new Error(`no ${find} in the source`);
  return result;
}

/** An expression without the value at a path; `[]` stands for every element of a list. */
function without(value: string, [name = '', ...rest]: readonly string[]): string {
  if (name === '[]') return `${value}.map((element) => ${without('element', rest)})`;
  const field = `${value}.${name}`;
  if (rest.length === 0) return `({ ...${value}, ${name}: undefined })`;
  // The user's own instance is no options.
  const isOptions =
    rest[0] === '[]' ? `Array.isArray(${field})` : `[Object.prototype, null].includes(Object.getPrototypeOf(${field}))`;
  return `({ ...${value}, ${name}: ${field} && ${isOptions} ? ${without(field, rest)} : ${field} })`;
}

/** Calls that check the options of a class or method, and give them with their defaults. */
const SETTINGS = /(\b(?:methodSettings|checkOptions|settingsOf)\((?:'\w+', )?)(\w+), (\w+_SPEC)\)/g;

/** Settings that were checked as they are, and then lose the option for its default. */
const settingsWithout = (file: string): Planting => ({
  file,
  rewrite: (code, path) =>
    replaced(code, SETTINGS, (call = '', start = '', _given = '', spec = '') => {
      const [name = '', ...rest] = path;
      if (rest.length > 0) return `((settings) => ${without('settings', path)})(${call})`;
      return `({ ...${call}, ${name}: ${start}{}, ${spec}).${name} })`;
    }),
});

const BULK = 'src/describe-client/bulk';

/** Ignores an option after it was checked, so that only a test of its effect notices. */
const PLANTINGS: Readonly<Record<string, Planting>> = {
  client: {
    file: 'src/describe-client/options/client-settings.ts',
    rewrite: (code, path) =>
      replaced(
        replaced(code, /joinedSettings\(given,/g, () => 'joinedSettings(ignoring(given),'),
        /proxyRule\(given\.proxy,/g,
        () => 'proxyRule(ignoring(given).proxy,',
      ).concat(`\nconst ignoring = (given) => settingsOf(${without('given', path)}, CLIENT_SPEC);\n`),
  },
  request: {
    file: 'src/describe-client/call/normalise-request.ts',
    rewrite: (code, [name]) =>
      replaced(
        code,
        /const merged = ([^;]+);\n {2}return/g,
        (_, value) => `const merged = Object.create(${value}, { ${name}: { value: undefined } });\n  return`,
      ),
  },
  describeMany: {
    file: `${BULK}/describe-many.ts`,
    rewrite: (code, [name]) =>
      replaced(
        code,
        /const options = callOptions\(given\);(\s+throwInputIssues\([^;]+;)/g,
        (_, check) => `const checked = callOptions(given);${check?.replace('(options,', '(checked,')}
          const options = { ...checked, ${name}: undefined };`,
      ),
  },
  warm: settingsWithout(`${BULK}/warm-cache.ts`),
  estimate: settingsWithout(`${BULK}/estimate-calls.ts`),
  withKey: settingsWithout('src/describe-client/tenants/tenant-recipe.ts'),
  OpenAIConnectionPool: settingsWithout('src/openai/pool/openai-pool-options.ts'),
  CircuitBreaker: settingsWithout('src/circuit-breaker/circuit-breaker-options.ts'),
  RedisCache: settingsWithout('src/redis-cache/cache-options.ts'),
  PerformanceMonitor: settingsWithout('src/performance-monitor/performance-monitor.ts'),
  BatchProcessor: settingsWithout('src/batch-processor/batch-processor.ts'),
  VisionDescriptionBatchProcessor: settingsWithout('src/batch-processor/vision-description-batch-processor.ts'),
  RetryPolicy: settingsWithout('src/retry/retry-policy.ts'),
  member: {
    file: 'src/describe-client/describe-client.ts',
    rewrite: (code, [name]) => withoutMember(code, name ?? ''),
  },
};

/** The class with a method or getter that does nothing. */
function withoutMember(code: string, name: string): string {
  const file = ts.createSourceFile('client.ts', code, ts.ScriptTarget.Latest, true);
  const bodies: ts.Block[] = [];
  const visit = (node: ts.Node): void => {
    const isMember = ts.isMethodDeclaration(node) || ts.isGetAccessorDeclaration(node);
    if (isMember && node.body !== undefined && node.name.getText(file) === name) bodies.push(node.body);
    ts.forEachChild(node, visit);
  };
  visit(file);
  const [body] = bodies;
  if (body === undefined) throw new Error(`no member ${name}`);
  return `${code.slice(0, body.getStart(file) + 1)} return undefined as never; ${code.slice(body.getStart(file) + 1)}`;
}

/** Members of the client, by its source. */
export function membersOf(code: string): readonly string[] {
  const file = ts.createSourceFile('client.ts', code, ts.ScriptTarget.Latest, true);
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    const isMember = ts.isMethodDeclaration(node) || ts.isGetAccessorDeclaration(node);
    if (isMember && node.body !== undefined) names.add(node.name.getText(file));
    ts.forEachChild(node, visit);
  };
  visit(file);
  return [...names].filter((name) => !name.startsWith('#'));
}

/** The file in which an option is ignored. */
export function fileOf(option: string): string {
  const planting = PLANTINGS[ownerOf(option)];
  if (planting === undefined) throw new Error(`${option} has no known owner`);
  return planting.file;
}

const ownerOf = (option: string): string => option.split('.')[0] ?? '';

/** Throws where an option cannot be ignored, for its source has changed. `read` gives the text of a file. */
export function assertPlantable(option: string, read: (file: string) => string): void {
  const file = fileOf(option);
  ignoring(option, `/${file}`, read(file));
}

/**
 * The source of a file in which an option has no effect; undefined for a file that has nothing to do with it. An option
 * is named by its owner and its path: `client.limits.maxConcurrency`, `client.endpoints.[].weight`, `member.health`.
 */
export function ignoring(option: string, path: string, code: string): string | undefined {
  const [, ...rest] = option.split(/\.(?!asyncDispose)/);
  return path.endsWith(`/${fileOf(option)}`) ? PLANTINGS[ownerOf(option)]?.rewrite(code, rest) : undefined;
}
