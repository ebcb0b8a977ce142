import { describe, expect, it } from 'vitest';
import { BATCH_SPEC } from '../../batch-processor/batch-processor-options.ts';
import { DescribeError } from '../../errors/describe-error.ts';
import { POOL_SPEC } from '../../openai/pool/openai-pool-options.ts';
import { PROCESS_MONITOR_SPEC } from '../../performance-monitor/process-monitor.ts';
import { REDIS_TARGET_SPEC } from '../../redis-cache/cache-options.ts';
import { parseEnvironment, readEnvironment } from './environment.ts';

const SPEC = { ...REDIS_TARGET_SPEC, ...POOL_SPEC, ...BATCH_SPEC, ...PROCESS_MONITOR_SPEC };

describe('readEnvironment', () => {
  it('reads every variable of a spec and leaves absent and empty ones out', () => {
    expect({
      ...readEnvironment(SPEC, {
        REDIS_URL: 'redis://127.0.0.1:1',
        REDIS_HOST: 'h',
        REDIS_PORT: ' 7000 ',
        REDIS_USERNAME: 'u',
        REDIS_PASSWORD: '12345',
        REDIS_DB: '0',
        OPENAI_POOL_MIN_SIZE: '1',
        OPENAI_POOL_MAX_SIZE: '4',
        BATCH_SIZE: '8',
        BATCH_WAIT_MS: '0',
        PERFORMANCE_MONITORING_ENABLED: 'off',
        PERFORMANCE_REPORT_INTERVAL: '1000',
        UNRELATED: 'x',
      }),
    }).toEqual({
      url: 'redis://127.0.0.1:1',
      host: 'h',
      port: 7000,
      username: 'u',
      password: '12345',
      db: 0,
      min: 1,
      max: 4,
      batchSize: 8,
      maxBatchWaitMs: 0,
      enabled: false,
      reportIntervalMs: 1000,
    });
    expect({ ...readEnvironment(SPEC, { REDIS_URL: '', BATCH_SIZE: '  ' }) }).toEqual({});
  });

  it('finds no option on the prototype of all objects', () => {
    expect(Object.getPrototypeOf(readEnvironment(SPEC, {}))).toBeNull();
  });

  it('names every variable that does not parse and shows no secret', () => {
    const environment = {
      REDIS_PORT: '70000',
      REDIS_URL: 'http://user:hunter2@host',
      BATCH_SIZE: '-1',
      OPENAI_POOL_MAX_SIZE: '1.5',
      PERFORMANCE_MONITORING_ENABLED: 'maybe',
    };
    expect(parseEnvironment(SPEC, environment).issues.map(({ option }) => option)).toEqual([
      'REDIS_PORT',
      'REDIS_URL',
      'OPENAI_POOL_MAX_SIZE',
      'BATCH_SIZE',
      'PERFORMANCE_MONITORING_ENABLED',
    ]);
    const error = (() => {
      try {
        return readEnvironment(SPEC, environment);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(DescribeError.is(error, 'DESCRIBE_CONFIG_INVALID')).toBe(true);
    expect(String(error)).toContain('REDIS_PORT: expected a whole number from 1 to 65535, got "70000"');
    expect(String(error)).not.toContain('hunter2');
    // A bare percent sign: reading the password would throw.
    expect(parseEnvironment(SPEC, { REDIS_URL: 'redis://:hunter%2@host' }).issues).toHaveLength(1);
  });
});
