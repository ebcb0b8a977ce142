// Prints the tables of options into docs/guide, between their markers, from the doc comments and specs of the source:
// `node .ci/option-tables.ts`. With `--check` it fails where a page is not as it would be printed.
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { BATCH_SPEC } from '../src/batch-processor/batch-processor-options.ts';
import { BATCH_RETRY_SPEC } from '../src/batch-processor/queue/batch-retry.ts';
import { VISION_BATCH_SPEC } from '../src/batch-processor/vision-description-batch-processor.ts';
import { BREAKER_SPEC } from '../src/circuit-breaker/circuit-breaker-options.ts';
import { BREAKER_REGISTRY_SPEC } from '../src/circuit-breaker/registry.ts';
import { DESCRIBE_MANY_SPEC } from '../src/describe-client/bulk/describe-many.ts';
import { ESTIMATE_SPEC } from '../src/describe-client/bulk/estimate-calls.ts';
import { CLIENT_WARM_SPEC } from '../src/describe-client/bulk/warm-cache.ts';
import { CLIENT_IMAGE_SPEC } from '../src/describe-client/options/client-image-options.ts';
import { CLIENT_SPEC } from '../src/describe-client/options/client-spec.ts';
import { ENDPOINT_SPEC } from '../src/describe-client/options/endpoint-options.ts';
import { CLIENT_LIMIT_CHECKS } from '../src/describe-client/options/limit-options.ts';
import { DESCRIBE_SPEC } from '../src/describe-client/options/request-spec.ts';
import { TENANT_SPEC, TENANTS_SPEC } from '../src/describe-client/options/tenant-options.ts';
import { TLS_SPEC } from '../src/http/connection/tls-options.ts';
import { CONTENT_ALIAS_SPEC } from '../src/image/identity/content-alias.ts';
import { IMAGE_LOADER_SPEC } from '../src/image/reading/image-loader.ts';
import { INLINE_HOSTS_SPEC } from '../src/image/reading/inline-hosts.ts';
import { defaultsOf, variableOf } from '../src/internal/options/option-spec.ts';
import { POOL_SPEC } from '../src/openai/pool/openai-pool-options.ts';
import { POOL_MANAGER_SPEC } from '../src/openai/pool/pool-manager.ts';
import { MIDDLEWARE_SPEC } from '../src/performance-monitor/handlers/performance-middleware.ts';
import { MONITOR_SPEC } from '../src/performance-monitor/monitor-options.ts';
import { ALERT_SPEC } from '../src/performance-monitor/reports/health-checks.ts';
import { CACHE_SPEC, MEMORY_SPEC } from '../src/redis-cache/cache-options.ts';
import { HTTP_CLIENT_SPEC } from '../src/resource-pool/http-client-factory.ts';
import { RESOURCE_POOL_SPEC } from '../src/resource-pool/options/resource-pool-options.ts';
import { RETRY_BUDGET_SPEC } from '../src/retry/retry-budget.ts';
import { RETRY_CLASS_SPEC, RETRY_SPEC } from '../src/retry/retry-options.ts';
import { QUOTA_LIMITER_SPEC, QUOTA_LIMITS_SPEC } from '../src/routing/quota/quota-limiter-options.ts';
import { QUOTA_REGISTRY_SPEC } from '../src/routing/quota/quota-registry.ts';
import { ROUTER_ENDPOINT_SPEC, ROUTER_SPEC } from '../src/routing/router/router-options.ts';
import { THRESHOLD_CHECKS } from '../src/testing/load/load-thresholds.ts';
import { LOAD_RUN_SPEC } from '../src/testing/load/run-load-scenario.ts';
import { tableOf } from './marked-table.ts';
import { repositoryRoot } from './runtimes.ts';

type Spec = Readonly<Record<string, object>>;

/** Every interface of public options, with its spec and the page of docs/guide that prints it. */
export const TABLES: readonly { readonly page: string; readonly name: string; readonly spec: Spec }[] = [
  { page: 'describe-client', name: 'DescribeClientOptions', spec: CLIENT_SPEC },
  { page: 'describe-client', name: 'EndpointOptions', spec: ENDPOINT_SPEC },
  { page: 'describe-client', name: 'ClientLimitOptions', spec: CLIENT_LIMIT_CHECKS },
  { page: 'describe-client', name: 'TenantOptions', spec: TENANT_SPEC },
  { page: 'describe-client', name: 'TenantsOptions', spec: TENANTS_SPEC },
  { page: 'describe-client', name: 'ClientImageOptions', spec: CLIENT_IMAGE_SPEC },
  { page: 'describe-client', name: 'DescribeOptions', spec: DESCRIBE_SPEC },
  { page: 'describe-client', name: 'DescribeManyOptions', spec: DESCRIBE_MANY_SPEC },
  { page: 'describe-client', name: 'ClientWarmOptions', spec: CLIENT_WARM_SPEC },
  { page: 'describe-client', name: 'EstimateOptions', spec: ESTIMATE_SPEC },
  { page: 'describe-client', name: 'TlsOptions', spec: TLS_SPEC },
  { page: 'openai-connection-pool', name: 'OpenAIConnectionPoolOptions', spec: POOL_SPEC },
  { page: 'openai-connection-pool', name: 'PoolManagerOptions', spec: POOL_MANAGER_SPEC },
  { page: 'batch-processor', name: 'BatchProcessorOptions', spec: BATCH_SPEC },
  { page: 'batch-processor', name: 'BatchRetryOptions', spec: BATCH_RETRY_SPEC },
  { page: 'batch-processor', name: 'VisionDescriptionBatchOptions', spec: VISION_BATCH_SPEC },
  { page: 'redis-cache', name: 'RedisCacheOptions', spec: CACHE_SPEC },
  { page: 'redis-cache', name: 'MemoryTierSettings', spec: MEMORY_SPEC },
  { page: 'circuit-breaker', name: 'CircuitBreakerOptions', spec: BREAKER_SPEC },
  { page: 'circuit-breaker', name: 'CircuitBreakerRegistryOptions', spec: BREAKER_REGISTRY_SPEC },
  { page: 'resource-pool', name: 'ResourcePoolOptions', spec: RESOURCE_POOL_SPEC },
  { page: 'resource-pool', name: 'HttpClientFactoryOptions', spec: HTTP_CLIENT_SPEC },
  { page: 'performance-monitor', name: 'PerformanceMonitorOptions', spec: MONITOR_SPEC },
  { page: 'performance-monitor', name: 'AlertOptions', spec: ALERT_SPEC },
  { page: 'performance-monitor', name: 'PerformanceMiddlewareOptions', spec: MIDDLEWARE_SPEC },
  { page: 'routing', name: 'RouterOptions', spec: ROUTER_SPEC },
  { page: 'routing', name: 'RouterEndpoint', spec: ROUTER_ENDPOINT_SPEC },
  { page: 'routing', name: 'RetryOptions', spec: RETRY_SPEC },
  { page: 'routing', name: 'RetryClassPolicy', spec: RETRY_CLASS_SPEC },
  { page: 'routing', name: 'RetryBudgetOptions', spec: RETRY_BUDGET_SPEC },
  { page: 'quota', name: 'QuotaLimiterOptions', spec: QUOTA_LIMITER_SPEC },
  { page: 'quota', name: 'QuotaLimits', spec: QUOTA_LIMITS_SPEC },
  { page: 'quota', name: 'QuotaRegistryOptions', spec: QUOTA_REGISTRY_SPEC },
  { page: 'images', name: 'ImageLoaderOptions', spec: IMAGE_LOADER_SPEC },
  { page: 'images', name: 'ContentAliasOptions', spec: CONTENT_ALIAS_SPEC },
  { page: 'images', name: 'InlineHostsOptions', spec: INLINE_HOSTS_SPEC },
  { page: 'load-tests', name: 'LoadRunOptions', spec: LOAD_RUN_SPEC },
  { page: 'load-tests', name: 'LoadThresholds', spec: THRESHOLD_CHECKS },
];

/** What the doc comment of an option says; empty where it says nothing. */
export interface OptionDoc {
  readonly meaning: string;
  readonly defaultValue: string;
}

interface DocumentedInterface {
  readonly bases: readonly string[];
  readonly members: ReadonlyMap<string, OptionDoc>;
}

const interfaces = new Map<string, DocumentedInterface>();
for (const file of globSync('src/**/*.ts', { cwd: repositoryRoot }).filter((path) => !/\.test\.|fixture/.test(path))) {
  const source = ts.createSourceFile(
    file,
    readFileSync(join(repositoryRoot, file), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  for (const node of source.statements.filter(ts.isInterfaceDeclaration)) interfaces.set(node.name.text, read(node));
}

function read(node: ts.InterfaceDeclaration): DocumentedInterface {
  const bases = (node.heritageClauses ?? []).flatMap(({ types }) =>
    types.map(({ expression, typeArguments: [first] = [] }) =>
      // Of `Omit<X, …>` the options are those of X.
      /^(Omit|Pick)$/.test(expression.getText()) && first !== undefined ? nameOf(first) : expression.getText(),
    ),
  );
  const members = node.members.filter(ts.isPropertySignature).map((member) => [member.name.getText(), docOf(member)]);
  return { bases, members: new Map(members as [string, OptionDoc][]) };
}

function nameOf(type: ts.TypeNode): string {
  return ts.isTypeReferenceNode(type) ? type.typeName.getText() : type.getText();
}

function docOf(member: ts.PropertySignature): OptionDoc {
  const text = ts
    .getJSDocCommentsAndTags(member)
    .filter(ts.isJSDoc)
    .map((comment) =>
      comment
        .getText()
        .replace(/^\/\*\*|\*\/$/g, '')
        .replaceAll(/^\s*\* ?/gm, ''),
    )
    .join(' ')
    .replaceAll(/\s+/g, ' ');
  const [meaning = '', defaultValue = ''] = text.split('@defaultValue').map((part) => part.trim());
  return { meaning, defaultValue };
}

/** The doc comment of an option of an interface, or of one that it extends. */
export function optionDoc(interfaceName: string, option: string): OptionDoc | undefined {
  const found = interfaces.get(interfaceName);
  if (found === undefined) return undefined;
  const own = found.members.get(option);
  if (own !== undefined) return own;
  for (const base of found.bases) {
    const inherited = optionDoc(base, option);
    if (inherited !== undefined) return inherited;
  }
  return undefined;
}

/** Whether a `@defaultValue` says what the spec does. Of functions and objects it may say anything. */
export function saysDefault(text: string, value: unknown): boolean {
  if (text === '') return false;
  if (typeof value === 'number' && Number.isFinite(value)) {
    return Number(/^[\d_,.]*\d/.exec(text)?.[0].replaceAll(/[_,]/g, '')) === value;
  }
  if (typeof value === 'string') return text.startsWith(`'${value}'`);
  return typeof value !== 'boolean' || text.startsWith(String(value));
}

/** Every option whose doc comment and spec disagree, with what each says. */
export const disagreements = (): readonly string[] =>
  TABLES.flatMap(({ name, spec }) => {
    const defaults = defaultsOf(spec) as Readonly<Record<string, unknown>>;
    return Object.keys(spec).flatMap((option) => {
      const doc = optionDoc(name, option);
      if (doc === undefined || doc.meaning === '') return [`${name}.${option} has no doc comment`];
      if (saysDefault(doc.defaultValue, defaults[option])) return [];
      return [
        `${name}.${option}: @defaultValue ${doc.defaultValue || 'is missing'}; the spec says ${defaults[option]}`,
      ];
    });
  });

const cell = (text: string) => text.replaceAll('|', '\\|');

const printed = (name: string, spec: Spec): string => {
  const rows = Object.entries(spec).map(([option, check]) => {
    const { meaning = '', defaultValue = '' } = optionDoc(name, option) ?? {};
    return [`\`${option}\``, cell(meaning), cell(defaultValue), variableOf(check) ?? ''];
  });
  const head = ['option', 'meaning', 'default', 'variable'];
  const columns = rows.some(([, , , variable]) => variable !== '') ? head.length : head.length - 1;
  return tableOf([head, ...rows].map((row) => row.slice(0, columns)));
};

/** A page as it is, and as it would be printed. */
export function optionPages(): readonly {
  readonly path: string;
  readonly current: string;
  readonly printed: string;
}[] {
  return [...new Set(TABLES.map(({ page }) => page))].map((page) => {
    const path = join(repositoryRoot, 'docs', 'guide', `${page}.md`);
    const current = readFileSync(path, 'utf8');
    const next = TABLES.filter((table) => table.page === page).reduce((text, { name, spec }) => {
      const marked = new RegExp(`(<!-- options: ${name} -->\\n)[\\s\\S]*?(<!-- /options: ${name} -->)`);
      if (!marked.test(text)) throw new Error(`docs/guide/${page}.md has no marks for ${name}`);
      return text.replace(marked, (_, start: string, end: string) => `${start}${printed(name, spec)}\n${end}`);
    }, current);
    return { path, current, printed: next };
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const stale = optionPages().filter((page) => page.current !== page.printed);
  const wrong = disagreements();
  for (const line of wrong) console.error(line);
  if (process.argv.includes('--check')) {
    for (const { path } of stale) console.error(`${path} is stale: run node .ci/option-tables.ts`);
    process.exitCode = stale.length + wrong.length > 0 ? 1 : 0;
  } else {
    for (const { path, printed: text } of stale) writeFileSync(path, text);
  }
}
