import { describe, expect, it } from 'vitest';
import { DescribeError } from '../../errors/describe-error.ts';
import { parseEnvironment, readEnvironment } from './environment.ts';

describe('readEnvironment', () => {
  it('reads every variable of the package and leaves absent and empty ones out', () => {
    expect(
      readEnvironment({
        OPENAI_API_KEY: 'k',
        OPENAI_BASE_URL: 'http://127.0.0.1:1/v1',
        REDIS_URL: 'redis://127.0.0.1:1',
        REDIS_HOST: 'h',
        REDIS_PORT: ' 7000 ',
        REDIS_USERNAME: 'u',
        REDIS_PASSWORD: 'p',
        REDIS_DB: '0',
        OPENAI_POOL_MIN_SIZE: '1',
        OPENAI_POOL_MAX_SIZE: '4',
        BATCH_SIZE: '8',
        BATCH_WAIT_MS: '0',
        PERFORMANCE_MONITORING_ENABLED: 'false',
        PERFORMANCE_REPORT_INTERVAL: '1000',
        UNRELATED: 'x',
      }),
    ).toEqual({
      openaiApiKey: 'k',
      openaiBaseURL: 'http://127.0.0.1:1/v1',
      redisUrl: 'redis://127.0.0.1:1',
      redisHost: 'h',
      redisPort: 7000,
      redisUsername: 'u',
      redisPassword: 'p',
      redisDb: 0,
      poolMinSize: 1,
      poolMaxSize: 4,
      batchSize: 8,
      batchWaitMs: 0,
      performanceMonitoringEnabled: false,
      performanceReportIntervalMs: 1000,
    });
    expect(readEnvironment({ OPENAI_API_KEY: '', BATCH_SIZE: '  ' })).toEqual({});
  });

  it('names every variable that does not parse and shows no secret', () => {
    const environment = {
      REDIS_PORT: '70000',
      REDIS_URL: 'http://user:hunter2@host',
      BATCH_SIZE: '-1',
      OPENAI_POOL_MAX_SIZE: '1.5',
      PERFORMANCE_MONITORING_ENABLED: 'maybe',
    };
    expect(parseEnvironment(environment).issues.map(({ option }) => option)).toEqual([
      'REDIS_URL',
      'REDIS_PORT',
      'OPENAI_POOL_MAX_SIZE',
      'BATCH_SIZE',
      'PERFORMANCE_MONITORING_ENABLED',
    ]);
    const error = (() => {
      try {
        return readEnvironment(environment);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(DescribeError.is(error, 'DESCRIBE_CONFIG_INVALID')).toBe(true);
    expect(String(error)).toContain('REDIS_PORT: expected a port from 1 to 65535, got "70000"');
    expect(String(error)).not.toContain('hunter2');
    // A bare percent sign: whoever reads the password would throw.
    expect(parseEnvironment({ REDIS_URL: 'redis://:hunter%2@host' }).issues).toHaveLength(1);
  });
});
