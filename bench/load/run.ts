import { type Output, runLoadTests } from './run-load.ts';

/** Where lines can't be rewritten, such as in CI, one of so many stands in the log. */
const SILENCE_MS = 10_000;
let lastLineAtMs = performance.now();

const onTerminal = process.stderr.isTTY === true;

const output: Output = {
  log: (text) => console.log(text),
  error: (text) => console.error(text),
  progress: (text) => {
    if (onTerminal) {
      process.stderr.write(`\r\u001b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
    } else if (text !== '' && performance.now() - lastLineAtMs >= SILENCE_MS) {
      lastLineAtMs = performance.now();
      console.error(text);
    }
  },
};

process.exitCode = await runLoadTests(process.argv.slice(2), output);
