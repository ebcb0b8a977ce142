import { lazy } from './lazy.ts';

/*
 * Modules of Node that few calls need. Each is loaded at its first use, because loading takes long: see the bench
 * "import cost". `process.getBuiltinModule` needs no file and no promise.
 */
export const crypto = lazy(() => process.getBuiltinModule('node:crypto'));
export const dnsPromises = lazy(() => process.getBuiltinModule('node:dns/promises'));
export const fsPromises = lazy(() => process.getBuiltinModule('node:fs/promises'));
export const net = lazy(() => process.getBuiltinModule('node:net'));
// An import of `createRequire` would collide with the banner that ES modules of esbuild often have.
export const nodeModule = lazy(() => process.getBuiltinModule('node:module'));
export const perfHooks = lazy(() => process.getBuiltinModule('node:perf_hooks'));
export const stream = lazy(() => process.getBuiltinModule('node:stream'));
export const util = lazy(() => process.getBuiltinModule('node:util'));
export const v8 = lazy(() => process.getBuiltinModule('node:v8'));
export const zlib = lazy(() => process.getBuiltinModule('node:zlib'));
