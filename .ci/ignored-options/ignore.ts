import ts from 'typescript';

/** Where the options of one owner are ignored: the file, and its text with calls of `ignored`. */
interface Planting {
  readonly file: string;
  readonly rewrite: (code: string) => string;
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

/** Settings that were checked as they are, and then lose the option for its default. */
const settingsOf =
  (file: string, spec: string) =>
  (owner: string): Planting => ({
    file,
    rewrite: (code) =>
      replaced(
        code,
        new RegExp(
          `(\\b(?:methodSettings|checkOptions|settingsOf)\\((?:'?\\w+'?, )?)\\w+(?: as \\w+)?, ${spec}\\)`,
          'g',
        ),
        (call, start) => `globalThis.ignored('${owner}', ${call}, () => ${start}{}, ${spec}))`,
      ),
  });

const BULK = 'src/describe-client/bulk';

/** Options are ignored after they were checked, so that only a test of their effect notices. */
const PLANTINGS: Readonly<Record<string, (owner: string) => Planting>> = {
  client: () => ({
    file: 'src/describe-client/options/client-settings.ts',
    rewrite: (code) =>
      replaced(
        replaced(code, /joinedSettings\(given,/g, () => 'joinedSettings(ignoring(given),'),
        /proxyRule\(given\.proxy,/g,
        () => 'proxyRule(ignoring(given).proxy,',
      ).concat(`
const ignoring = (given) => {
  const left = globalThis.ignored('client', given);
  return left === given ? given : settingsOf(left, CLIENT_SPEC);
};
`),
  }),
  request: () => ({
    file: 'src/describe-client/call/normalise-request.ts',
    rewrite: (code) =>
      replaced(
        code,
        /const merged = ([^;]+);(\s+const schema)/g,
        (_, value, after) => `const merged = globalThis.ignored('request', ${value});${after}`,
      ),
  }),
  describeMany: () => ({
    file: `${BULK}/describe-many.ts`,
    rewrite: (code) =>
      replaced(
        code,
        /const options = callOptions\(given\);(\s+throwInputIssues\([^;]+;)/g,
        (_, check) => `const checked = callOptions(given);${check?.replace('(options,', '(checked,')}
          const options = globalThis.ignored('describeMany', checked);`,
      ),
  }),
  warm: settingsOf(`${BULK}/warm-cache.ts`, 'CLIENT_WARM_SPEC'),
  estimate: settingsOf(`${BULK}/estimate-calls.ts`, 'ESTIMATE_SPEC'),
  withKey: settingsOf('src/describe-client/tenants/tenant-recipe.ts', 'TENANT_SPEC'),
  OpenAIConnectionPool: settingsOf('src/openai/pool/openai-pool-options.ts', 'POOL_SPEC'),
  CircuitBreaker: () => ({
    file: 'src/circuit-breaker/circuit-breaker.ts',
    // The breaker reads some of them as they are, before they get their defaults.
    rewrite: (code) =>
      replaced(
        code,
        /checkBreakerOptions\(given, .+\);/g,
        (call) => `globalThis.ignored('CircuitBreaker', ${call.slice(0, -1)});`,
      ),
  }),
  RedisCache: settingsOf('src/redis-cache/cache-options.ts', 'CACHE_SPEC'),
  PerformanceMonitor: settingsOf('src/performance-monitor/performance-monitor.ts', 'MONITOR_SPEC'),
  BatchProcessor: settingsOf('src/batch-processor/batch-processor.ts', 'BATCH_SPEC'),
  VisionDescriptionBatchProcessor: settingsOf(
    'src/batch-processor/vision-description-batch-processor.ts',
    'VISION_BATCH_SPEC',
  ),
  RetryPolicy: settingsOf('src/retry/retry-policy.ts', 'RETRY_SPEC'),
  member: () => ({ file: 'src/describe-client/describe-client.ts', rewrite: withIdleMembers }),
};

/** The class in which each method and getter does nothing while it is ignored. */
function withIdleMembers(code: string): string {
  let result = code;
  for (const { name, body } of membersIn(code).toReversed()) {
    const idle = ` if (globalThis.ignored('member', '${name}') === undefined) return undefined as never;`;
    result = `${result.slice(0, body)}${idle}${result.slice(body)}`;
  }
  return result;
}

/** Public methods and getters of the client, by its source, with the place where their bodies begin. */
function membersIn(code: string): readonly { readonly name: string; readonly body: number }[] {
  const file = ts.createSourceFile('client.ts', code, ts.ScriptTarget.Latest, true);
  const members: { name: string; body: number }[] = [];
  const visit = (node: ts.Node): void => {
    const isMember = ts.isMethodDeclaration(node) || ts.isGetAccessorDeclaration(node);
    if (isMember && node.body !== undefined && !node.name.getText(file).startsWith('#')) {
      members.push({ name: node.name.getText(file), body: node.body.getStart(file) + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return members;
}

export const membersOf = (code: string): readonly string[] => [...new Set(membersIn(code).map(({ name }) => name))];

const ALL = Object.entries(PLANTINGS).map(([owner, planting]) => ({ owner, ...planting(owner) }));

/** Files in which options are ignored. */
export const PLANTED_FILES: readonly string[] = ALL.map(({ file }) => file);

/** The file in which the options of an owner are ignored. */
export function fileOf(option: string): string {
  const found = ALL.find(({ owner }) => option.startsWith(`${owner}.`));
  if (found === undefined) throw new Error(`${option} has no known owner`);
  return found.file;
}

/**
 * The source of a file with calls of `globalThis.ignored`; undefined for a file without options.
 * @throws where the place of an option is not found, for the source has changed.
 */
export function planted(path: string, code: string): string | undefined {
  return ALL.find(({ file }) => path.endsWith(`/${file}`))?.rewrite(code);
}
