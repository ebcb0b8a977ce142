import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const INDEX = new URL('./index.ts', import.meta.url).href;

it('lets the process exit, with reports and alerts running and nothing closed', async () => {
  const program = `
    import { PerformanceMonitor } from '${INDEX}';
    const monitor = new PerformanceMonitor({ logger: console });
    monitor.startReporting(60_000);
    monitor.onAlert(() => {});
    monitor.startTimer('never_ended');
  `;
  const { stderr } = await run(process.execPath, ['--input-type=module', '--eval', program], {
    timeout: 45_000,
  });
  expect(stderr).not.toContain('Error');
});
