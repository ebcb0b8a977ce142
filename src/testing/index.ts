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
export { type FakeTimers, ManualClock, type ManualClockOptions } from './manual-clock.ts';
export {
  findFreePort,
  findRedisServer,
  RedisServer,
  type RedisServerOptions,
  startRedisServer,
} from './redis-server.ts';
