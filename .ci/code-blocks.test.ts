import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeOpenAI, startFakeOpenAI } from '../src/testing/index.ts';
import { SNIPPET_NAMES, writeSnippet } from '../src/users-guide.fixture.ts';
import { blocksOfComments, blocksOfPage, type CodeBlock, pages } from './code-blocks.ts';
import { repositoryRoot } from './runtimes.ts';

// Inside the repository, so that the blocks find its packages.
const folder = join(repositoryRoot, '.cache', 'code-blocks');

const writeBlock = ({ file, line, code }: CodeBlock): string => {
  const path = join(folder, `${file.replaceAll(/[^\w]/g, '-')}-${line}.ts`);
  // A block without an import or export would be a script, whose names meet those of the others.
  writeFileSync(path, `${code}\nexport {};\n`);
  return path;
};

const typeErrorsOf = (files: readonly string[]): string[] => {
  const { config } = ts.readConfigFile(join(repositoryRoot, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, repositoryRoot);
  const program = ts.createProgram(files, { ...options, noPropertyAccessFromIndexSignature: false });
  return ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => file?.fileName.startsWith(folder))
    .map(({ file, messageText, start }) => {
      const position = file?.getLineAndCharacterOfPosition(start ?? 0);
      const where = `${file?.fileName.slice(folder.length + 1)}:${(position?.line ?? 0) + 1}`;
      return `${where} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
};

let server: FakeOpenAI;
const environmentBefore = { ...process.env };

beforeAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  server = await startFakeOpenAI();
  process.env['OPENAI_API_KEY'] = server.apiKey;
  process.env['OPENAI_BASE_URL'] = server.baseURL;
});

afterAll(async () => {
  await server.close();
  process.env = environmentBefore;
});

describe('code that users read', () => {
  it('type-checks, in every page and every @example', { timeout: 300_000 }, () => {
    const blocks = [...pages().flatMap(blocksOfPage), ...blocksOfComments()];
    expect(blocks.length).toBeGreaterThan(10);
    const snippets = SNIPPET_NAMES.map((name) => writeSnippet(name, folder));
    expect(typeErrorsOf([...blocks.map(writeBlock), ...snippets])).toEqual([]);
  });

  it('parses on Node 20, which has no `using`, unless it says that it needs a newer one', () => {
    const unmarked = [...pages().flatMap(blocksOfPage), ...blocksOfComments()]
      .filter(({ code }) => /\busing\s+\w+\s*=/.test(code) && !/Node 2[4-9]/.test(code))
      .map(({ file, line }) => `${file}:${line}`);
    expect(unmarked).toEqual([]);
  });

  it.each(blocksOfPage('README.md').map((block) => [block.line, block] as const))(
    'runs as it stands in README.md, line %i',
    async (_line, block) => {
      await import(/* @vite-ignore */ pathToFileURL(writeBlock(block)).href);
    },
  );
});
