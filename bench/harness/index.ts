export { allocatedBytes } from './allocated-bytes.ts';
export { type BenchmarkReport, type FailedSuite, isFailed, type Machine, type Outcome } from './benchmark-report.ts';
export { collectGarbage } from './collect-garbage.ts';
export { type FoundSuite, findSuites } from './find-suites.ts';
export { formatReport, formatValue } from './format-report.ts';
export { type FreshProcessOptions, freshProcess, sampleInFreshProcess } from './fresh-process.ts';
export type { Gate, GateReport, Gates, Verdict } from './gate.ts';
export { inRoundOrder, type Measurements, type MeasureOptions, measureSuite } from './measure-suite.ts';
export { parseRunOptions, type RunOptions, USAGE } from './run-options.ts';
export { type ExitCode, type Output, runSuites } from './run-suites.ts';
export { type Random, seededRandom } from './seeded-random.ts';
export {
  median,
  quantile,
  type RatioEstimate,
  type RatioOptions,
  ratioOfMedians,
  relativeSpread,
} from './statistics.ts';
export {
  type Contender,
  defineSuite,
  type Sample,
  type SampledContender,
  type Suite,
  type SuiteDefinition,
  type TimedContender,
} from './suite.ts';
export {
  type ContenderReport,
  reportSuite,
  type SuiteReport,
} from './suite-report.ts';
