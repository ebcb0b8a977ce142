import { runSuites } from './harness/index.ts';

process.exitCode = await runSuites(new URL('./', import.meta.url), process.argv.slice(2));

setTimeout(() => {
  console.error('a suite left something open that holds the process (see its teardown)');
  process.exit(1);
}, 5_000).unref();
