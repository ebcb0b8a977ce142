export type { ApiErrorCode } from './fake-openai/error-table.ts';
export { type FakeOpenAI, startFakeOpenAI } from './fake-openai/fake-openai.ts';
export { runFakeOpenAIChild } from './fake-openai/fake-openai-child.ts';
export {
  type FakeOpenAIProcess,
  type FakeOpenAIProcessOptions,
  startFakeOpenAIProcess,
} from './fake-openai/fake-openai-process.ts';
export type { Fault, FaultMatch, FaultPlan, FaultRule, Quirk, RetryAfter } from './fake-openai/fault-plan.ts';
export {
  describeImageFacts,
  type ImageFacts,
  readImageFacts,
} from './fake-openai/image-facts.ts';
export type { Latency } from './fake-openai/latency.ts';
export type { FakeOpenAIOptions } from './fake-openai/options.ts';
export type { FakeLimits } from './fake-openai/quota-group.ts';
export type { FakeQuotaGroup } from './fake-openai/quota-groups.ts';
export type { SeenOutcome, SeenRequest } from './fake-openai/seen-log.ts';
export type { FakeOpenAIStats, SeenImageStats } from './fake-openai/seen-stats.ts';
export { createTestImage, type TestImageOptions } from './fake-openai/test-image.ts';
export type { FakeModel, ImageTokenRule, PatchBounds } from './fake-openai/token-table.ts';
export type { LatencySummary } from './load/latency-histogram.ts';
export type { LoadFigures, LoadMemory, LoadPhaseResult, LoadRequests, LoadResult } from './load/load-figures.ts';
export type { LoadProgress } from './load/load-run.ts';
export type { LoadPhase, LoadScenario, LoadTraffic } from './load/load-scenario.ts';
export { LOAD_SCENARIOS } from './load/load-scenarios.ts';
export type { LoadAnswer, LoadCallOptions, LoadRedis, LoadServer, LoadTarget } from './load/load-target.ts';
export { type LoadThresholds, type LoadVerdict, PERFORMANCE_THRESHOLDS } from './load/load-thresholds.ts';
export { type LoadRunOptions, runLoadScenario } from './load/run-load-scenario.ts';
export { type FakeTimers, ManualClock, type ManualClockOptions } from './manual-clock.ts';
export {
  findFreePort,
  findRedisServer,
  RedisServer,
  type RedisServerOptions,
  startRedisServer,
} from './redis-server.ts';
