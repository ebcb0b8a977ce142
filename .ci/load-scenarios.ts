// Prints the table of load scenarios into docs/guide/load-tests.md: `node .ci/load-scenarios.ts`.
import { pathToFileURL } from 'node:url';
import { LOAD_SCENARIOS, type LoadPhase, type LoadScenario } from '../src/testing/index.ts';
import { tableOf, writeMarked } from './marked-table.ts';

const loadOf = ({ rate, concurrency }: LoadPhase): string => {
  if (rate === undefined) return `${concurrency} at once`;
  return typeof rate === 'number' ? `${rate}/s` : `${rate.from}/s to ${rate.to}/s`;
};

const row = ({ name, proves, phases, needsRedis }: LoadScenario): readonly string[] => [
  name,
  `${proves}${needsRedis === true ? ' Needs Redis.' : ''}`,
  [...new Set(phases.map(loadOf))].join(', '),
  `${phases.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000} s`,
];

/** Every scenario in a line: what it proves, its load and its length. */
export const scenarioTable = (): string =>
  tableOf([['scenario', 'what it proves', 'load', 'length'], ...Object.values(LOAD_SCENARIOS).map(row)]);

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeMarked('docs/guide/load-tests.md', 'load-scenarios', scenarioTable());
}
