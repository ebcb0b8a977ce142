import { defineConfig, mergeConfig } from 'vitest/config';
import base from '../../vitest.config.ts';
import { repositoryRoot } from '../runtimes.ts';
import { planted } from './ignore.ts';

/** The tests, with places in the source that can ignore an option. Processes that a test starts are not affected. */
export default mergeConfig(
  base,
  defineConfig({
    root: repositoryRoot,
    test: { runner: '.ci/ignored-options/runner.ts', fsModuleCache: false },
    plugins: [
      {
        name: 'ignored-options',
        enforce: 'pre',
        transform: (code, id) => planted(id.split('?')[0] ?? '', code),
      },
    ],
  }),
);
