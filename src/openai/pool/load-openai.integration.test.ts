import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** Lets Node remember that the entry file of openai could not be opened, as it does when no descriptor is left. */
const HOOK = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  import { fileURLToPath } from 'node:url';
  const refuse = (url) => {
    throw Object.assign(new Error('EMFILE'), { code: 'EMFILE', path: fileURLToPath(url) });
  };
  registerHooks({ load: (url, ...rest) => (url.endsWith('/openai/index.mjs') ? refuse(url) : rest.at(-1)(url, rest[0])) });
`)}`;

it('loads openai although Node remembers that its file could not be opened', async () => {
  const url = new URL('./load-openai.ts', import.meta.url);
  const script = `const { loadOpenAI } = await import('${url}'); console.log(typeof (await loadOpenAI()).OpenAI);`;
  const args = ['--import', HOOK, '--input-type=module', '-e', script];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(stdout.trim()).toBe('function');
});
