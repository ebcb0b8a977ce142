// Runs in a process of its own. Plain JavaScript, so that Node's type stripping is not part of what is measured.
const [specifier, expectedExport, measure] = process.argv.slice(2);

const measured = async (work) => {
  const cpuBefore = process.cpuUsage();
  const startedAtMs = performance.now();
  const result = await work();
  const value = performance.now() - startedAtMs;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { result, sample: { value, cpuMs: (user + system) / 1000 } };
};

const loading = await measured(() => import(specifier));
if (!(expectedExport in loading.result)) throw new Error(`${specifier} has no export ${expectedExport}`);
const { sample } = measure === 'call' ? await measured(() => loading.result[expectedExport]()) : loading;
console.log(JSON.stringify(sample));
process.exit(0);
