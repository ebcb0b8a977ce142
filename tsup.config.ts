import { defineConfig, type Options } from 'tsup';

/** Dependencies that are CommonJS only, each with the file that re-exports it for bundlers. */
const COMMONJS = {
  'generic-pool': 'src/resource-pool/slots/generic-pool.bundled.ts',
  opossum: 'src/circuit-breaker/circuit/opossum.bundled.ts',
  'prom-client': 'src/performance-monitor/metrics/prom-client.bundled.ts',
  undici: 'src/http/connection/undici.bundled.ts',
};

/** Names of `imports` in package.json, which stand for the package itself, or for its copy in dist/bundled. */
const alias = Object.fromEntries(Object.keys(COMMONJS).map((name) => [name, `#${name}`]));

const common = { target: 'es2022', platform: 'node' } as const satisfies Options;

export default defineConfig([
  {
    ...common,
    entry: {
      index: 'src/index.ts',
      openai: 'src/openai/index.ts',
      'batch-processor': 'src/batch-processor/index.ts',
      'redis-cache': 'src/redis-cache/index.ts',
      'circuit-breaker': 'src/circuit-breaker/index.ts',
      'resource-pool': 'src/resource-pool/index.ts',
      'performance-monitor': 'src/performance-monitor/index.ts',
      routing: 'src/routing/index.ts',
      image: 'src/image/index.ts',
      testing: 'src/testing/index.ts',
    },
    format: ['esm', 'cjs'],
    dts: true,
    splitting: true,
    clean: ['!bundled/**'],
    sourcemap: true,
    // Not left to tsup, which would leave them as they are before esbuild renames them.
    noExternal: Object.keys(COMMONJS),
    esbuildOptions(options) {
      options.alias = alias;
      options.external = [...(options.external ?? []), ...Object.values(alias)];
    },
  },
  {
    // The CommonJS dependencies as ES modules, for bundlers:
    // docs/decisions/2026-11-28-commonjs-dependencies-in-bundles.md
    ...common,
    entry: COMMONJS,
    outDir: 'dist/bundled',
    format: 'esm',
    splitting: false,
    clean: true,
    minify: true,
    noExternal: [/./],
    banner: { js: 'const require = (name) => process.getBuiltinModule(name);' },
  },
]);
