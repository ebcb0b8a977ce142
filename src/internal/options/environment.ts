import { ConfigError, type ConfigIssue } from '../../errors/config-error.ts';
import { isUrlOf } from '../is-url-of.ts';
import { baseUrl } from './option-checks.ts';

/** What the environment says; a variable that is absent or empty is absent here. */
export interface EnvironmentSettings {
  readonly openaiApiKey?: string;
  readonly openaiBaseURL?: string;
  readonly openaiOrganization?: string;
  readonly openaiProject?: string;
  readonly redisUrl?: string;
  readonly redisHost?: string;
  readonly redisPort?: number;
  readonly redisUsername?: string;
  readonly redisPassword?: string;
  readonly redisDb?: number;
  readonly poolMinSize?: number;
  readonly poolMaxSize?: number;
  readonly batchSize?: number;
  readonly batchWaitMs?: number;
  readonly performanceMonitoringEnabled?: boolean;
  readonly performanceReportIntervalMs?: number;
}

type Parse = (raw: string) => unknown;

interface Variable {
  readonly name: string;
  readonly expected: string;
  readonly parse: Parse;
  /** The value may be shown in an error. */
  readonly shown: boolean;
}

const WRONG = Symbol('wrong');

const asText: Parse = (raw) => raw;

/** What can stand in a header; a key with a line break inside would be shown by the error of whoever refuses it. */
const asHeaderText: Parse = (raw) => (/^[\x21-\x7e]+$/.test(raw) ? raw : WRONG);

const asUrl =
  (...protocols: readonly string[]): Parse =>
  (raw) =>
    isUrlOf(raw, protocols) ? raw : WRONG;

const asBaseUrl: Parse = (raw) => (baseUrl()(raw, '').length === 0 ? raw : WRONG);

const asInteger =
  (min: number, max = Number.MAX_SAFE_INTEGER): Parse =>
  (raw) => {
    const value = Number(raw);
    return /^\d+$/.test(raw) && value >= min && value <= max ? value : WRONG;
  };

const asBoolean: Parse = (raw) => {
  if (/^(true|1|yes|on)$/i.test(raw)) return true;
  return /^(false|0|no|off)$/i.test(raw) ? false : WRONG;
};

const variable = (name: string, expected: string, parse: Parse, shown = true): Variable => ({
  name,
  expected,
  parse,
  shown,
});

const VARIABLES: { readonly [Setting in keyof EnvironmentSettings]-?: Variable } = {
  openaiApiKey: variable('OPENAI_API_KEY', 'a key of printable ASCII without spaces', asHeaderText, false),
  openaiBaseURL: variable(
    'OPENAI_BASE_URL',
    'an http or https URL without credentials or a fragment',
    asBaseUrl,
    false,
  ),
  openaiOrganization: variable('OPENAI_ORG_ID', 'an id of printable ASCII without spaces', asHeaderText, false),
  openaiProject: variable('OPENAI_PROJECT_ID', 'an id of printable ASCII without spaces', asHeaderText, false),
  redisUrl: variable('REDIS_URL', 'a redis or rediss URL', asUrl('redis:', 'rediss:'), false),
  redisHost: variable('REDIS_HOST', 'a host name', asText),
  redisPort: variable('REDIS_PORT', 'a port from 1 to 65535', asInteger(1, 65_535)),
  redisUsername: variable('REDIS_USERNAME', 'a user name', asText),
  redisPassword: variable('REDIS_PASSWORD', 'a password', asText, false),
  redisDb: variable('REDIS_DB', 'a whole number of at least 0', asInteger(0)),
  poolMinSize: variable('OPENAI_POOL_MIN_SIZE', 'a whole number of at least 0', asInteger(0)),
  poolMaxSize: variable('OPENAI_POOL_MAX_SIZE', 'a whole number of at least 1', asInteger(1)),
  batchSize: variable('BATCH_SIZE', 'a whole number of at least 1', asInteger(1)),
  batchWaitMs: variable('BATCH_WAIT_MS', 'milliseconds of at least 0', asInteger(0)),
  performanceMonitoringEnabled: variable('PERFORMANCE_MONITORING_ENABLED', 'true or false', asBoolean),
  performanceReportIntervalMs: variable('PERFORMANCE_REPORT_INTERVAL', 'milliseconds of at least 1', asInteger(1)),
};

/**
 * Reads the variables that this package knows.
 * @throws `DESCRIBE_CONFIG_INVALID` that names every variable whose value does not parse.
 */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): EnvironmentSettings {
  const { settings, issues } = parseEnvironment(environment);
  if (issues.length > 0) throw new ConfigError('environment', issues);
  return settings;
}

/** The same without throwing, for a caller that lists these issues among its own. */
export function parseEnvironment(environment: Readonly<Record<string, string | undefined>>): {
  readonly settings: EnvironmentSettings;
  readonly issues: readonly ConfigIssue[];
} {
  // Without a prototype: what is not set must not be found there.
  const settings: Record<string, unknown> = Object.create(null);
  const issues: ConfigIssue[] = [];
  for (const [setting, { name, expected, parse, shown }] of Object.entries(VARIABLES)) {
    const raw = environment[name]?.trim();
    if (raw === undefined || raw === '') continue;
    const value = parse(raw);
    if (value === WRONG) {
      issues.push({
        option: name,
        expected,
        got: shown ? JSON.stringify(raw.slice(0, 40)) : 'a value (not shown)',
      });
    } else {
      settings[setting] = value;
    }
  }
  return { settings, issues };
}
