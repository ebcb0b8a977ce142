import { defineConfig, mergeConfig } from 'vitest/config';
import base from '../../vitest.config.ts';
import { repositoryRoot } from '../runtimes.ts';
import { ignoring } from './ignore.ts';

/** The tests with the option of `IGNORED_OPTION` ignored. Processes that a test starts are not affected. */
export default mergeConfig(
  base,
  defineConfig({
    root: repositoryRoot,
    // A module that is kept on disk would hide the next option, and its name does not depend on the option.
    test: { fsModuleCache: false },
    plugins: [
      {
        name: 'ignored-option',
        enforce: 'pre',
        transform: (code, id) => {
          const option = process.env['IGNORED_OPTION'];
          return option === undefined ? undefined : ignoring(option, id.split('?')[0] ?? '', code);
        },
      },
    ],
  }),
);
