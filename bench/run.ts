import { runSuites } from './harness/index.ts';
import { writeBenchmarksPage } from './report/benchmarks-page.ts';

process.exitCode = await runSuites(new URL('./', import.meta.url), process.argv.slice(2), {
  results: new URL('./results/', import.meta.url),
  onComplete: writeBenchmarksPage,
});
