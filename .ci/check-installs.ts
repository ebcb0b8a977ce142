// Installs the packed tarball with every package manager, on the oldest and the newest Node, and describes an image.
// Also installs from a lock file of Node 24. Writes the table of docs/guide/installation.md.
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableOf, writeMarked } from './marked-table.ts';
import { packTarball } from './packed.ts';
import { environmentOf, installRuntime, NODE_MAJORS, type Runtime, repositoryRoot, runCommand } from './runtimes.ts';

/** How a package manager is called, and how it runs a program of its folder. */
interface Manager {
  readonly name: string;
  readonly program: readonly string[];
  readonly install: readonly string[];
  /** Installs what the lock file says. */
  readonly installLocked: readonly string[];
  /** Prepended to a program: with Plug'n'Play only yarn finds the packages. */
  readonly run?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
}

const tools = join(repositoryRoot, '.ci', 'installers');
const tool = (path: string) => join(tools, 'node_modules', path);
const yarnBerry = tool('@yarnpkg/cli-dist/bin/yarn.js');
const BERRY = { program: [yarnBerry], install: ['install'], installLocked: ['install', '--immutable'] };
const BERRY_SETTINGS = 'enableTelemetry: false\nenableGlobalCache: false\nenableImmutableInstalls: false\n';

const MANAGERS: readonly Manager[] = [
  {
    name: 'npm',
    program: [],
    install: ['install', '--no-audit', '--no-fund', '--loglevel=error'],
    installLocked: ['ci', '--no-audit', '--no-fund', '--loglevel=error'],
  },
  {
    name: 'pnpm 10',
    program: [tool('pnpm/bin/pnpm.cjs')],
    install: ['install'],
    installLocked: ['install', '--frozen-lockfile'],
  },
  {
    name: 'yarn 1',
    program: [tool('yarn/bin/yarn.js')],
    install: ['install', '--no-progress'],
    installLocked: ['install', '--no-progress', '--frozen-lockfile'],
  },
  {
    name: "yarn 4, Plug'n'Play",
    ...BERRY,
    run: [yarnBerry, 'node'],
    files: { '.yarnrc.yml': BERRY_SETTINGS },
  },
  {
    name: 'yarn 4, node_modules',
    ...BERRY,
    files: { '.yarnrc.yml': `nodeLinker: node-modules\n${BERRY_SETTINGS}` },
  },
];

const workspace = mkdtempSync(join(tmpdir(), 'describe-it-installs-'));

function makeApp(name: string, tarball: string, files: Readonly<Record<string, string>> = {}): string {
  const folder = join(workspace, name);
  mkdirSync(folder);
  cpSync(join(repositoryRoot, '.ci', 'consumer', 'esm.mjs'), join(folder, 'esm.mjs'));
  const dependencies = { '@describe-it/sdk': `file:${tarball}`, openai: '^6.0.0' };
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'consumer', version: '1.0.0', private: true, type: 'module', dependencies }),
  );
  for (const [file, text] of Object.entries({ 'yarn.lock': '', ...files })) {
    if (file !== 'yarn.lock' || files['.yarnrc.yml'] !== undefined) writeFileSync(join(folder, file), text);
  }
  return folder;
}

const images = join(repositoryRoot, 'examples', 'images');
/** yarn 1 refuses what does not name its Node: opossum 9 names 20, 22 and 24. */
const KNOWN = 'with --ignore-engines';
const firstLine = (error: unknown) => {
  const lines = String((error as Error).message).split('\n');
  if (lines.some((line) => line.includes('opossum@9') && line.includes('is incompatible'))) return KNOWN;
  return lines.find((line) => /incompatible|EBADENGINE|Unsupported engine|Error/.test(line)) ?? lines[0] ?? '';
};

function call(runtime: Runtime, folder: string, program: readonly string[], args: readonly string[]): void {
  const env = {
    ...environmentOf(runtime),
    CONSUMER_IMAGES: images,
    CI: 'true',
    // Where everything has to fit; opossum 9 does not name Node 26, on which it runs.
    npm_config_engine_strict: String(runtime.major === NODE_MAJORS[0]),
  };
  const [command, ...rest] = program.length === 0 ? ['npm', ...args] : [runtime.node, ...program, ...args];
  runCommand(command ?? 'npm', rest, { cwd: folder, env, timeoutMs: 600_000 });
}

/** Installs and describes an image on `runtime`; the lock file, if any, was made by `lockedBy`. */
function tryManager(manager: Manager, runtime: Runtime, lockedBy: Runtime | undefined, tarball: string): string {
  const { name, program, install, installLocked, run = [], files = {} } = manager;
  const folder = makeApp(`${name}-${runtime.major}-${lockedBy?.major}`.replaceAll(/[^\w.-]/g, '-'), tarball, files);
  try {
    if (lockedBy !== undefined) {
      call(lockedBy, folder, program, install);
      rmSync(join(folder, 'node_modules'), { recursive: true, force: true });
    }
    call(runtime, folder, program, lockedBy === undefined ? install : installLocked);
    call(runtime, folder, [...run, 'esm.mjs'], []);
    return 'works';
  } catch (error) {
    return firstLine(error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the app on another runtime than Node. */
function tryRuntime(command: string, args: readonly string[], folder: string): string {
  try {
    runCommand(command, [...args, 'esm.mjs'], {
      cwd: folder,
      env: { ...process.env, CONSUMER_IMAGES: images },
      timeoutMs: 60_000,
    });
    return 'works';
  } catch (error) {
    return firstLine(error);
  }
}

if (!existsSync(join(tools, 'node_modules'))) {
  runCommand('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: tools });
}
const [oldest, , locker, newest] = NODE_MAJORS.map(installRuntime) as [Runtime, Runtime, Runtime, Runtime];
const rows: string[][] = [];
try {
  const tarball = packTarball(workspace);
  for (const manager of MANAGERS) {
    const row = [
      tryManager(manager, oldest, undefined, tarball),
      tryManager(manager, oldest, locker, tarball),
      tryManager(manager, newest, undefined, tarball),
    ];
    rows.push([manager.name, ...row]);
    console.error(manager.name, row.join(' | '));
  }
  const app = makeApp('runtimes', tarball);
  call(oldest, app, [], MANAGERS[0]?.install ?? []);
  const bun = tryRuntime(tool('.bin/bun'), ['run'], app);
  const deno = tryRuntime(tool('.bin/deno'), ['run', '-A', '--node-modules-dir=manual'], app);
  const managers = tableOf([['Installed with', 'Node 20', 'Node 20, lock file of Node 24', 'Node 26'], ...rows]);
  const runtimes = tableOf([
    ['Runtime', 'describe()'],
    ['Bun', bun],
    ['Deno', deno],
  ]);
  writeMarked('docs/guide/installation.md', 'installs', `${managers}\n\n${runtimes}`);
  rows.push(['Bun', bun], ['Deno', deno]);
} finally {
  rmSync(workspace, { recursive: true, force: true });
}
process.exitCode = rows.every(([, ...cells]) => cells.every((cell) => cell === 'works' || cell === KNOWN)) ? 0 : 1;
