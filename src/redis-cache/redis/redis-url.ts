import { isUrlOf } from '../../internal/is-url-of.ts';
import { definedOf } from '../../internal/options/defined-of.ts';
import { describeKind, type OptionCheck } from '../../internal/options/option-checks.ts';

const FAMILIES: readonly (string | null)[] = [null, '0', '4', '6'];

/** Accepts a `redis://` or `rediss://` URL. An issue never shows it, because it may hold a password. */
export const redisUrl = (): OptionCheck => (value, option) => {
  if (value === undefined) return [];
  const got = describeKind(value);
  if (typeof value !== 'string' || !isUrlOf(value, ['redis:', 'rediss:'])) {
    const expected = 'a redis or rediss URL, as in redis://host:6379, with special characters percent-encoded';
    return [{ option, expected, got }];
  }
  const url = new URL(value);
  if (!/^\d*$/.test(databaseOf(url))) {
    return [{ option, expected: 'a URL whose path is the number of a database, as in redis://host:6379/2', got }];
  }
  if (!FAMILIES.includes(url.searchParams.get('family'))) {
    return [{ option, expected: 'a URL with family=4, family=6, family=0 or none', got }];
  }
  return [];
};

const databaseOf = ({ pathname, searchParams }: URL): string =>
  pathname.replace(/^\/|\/$/g, '') || searchParams.get('db') || '';

/** The options of a checked URL. Read here and not by ioredis, so that other options win over them. */
export function optionsOfUrl(text: string) {
  const url = new URL(text);
  const [db, family] = [databaseOf(url), url.searchParams.get('family')];
  return {
    ...definedOf({
      host: url.hostname.replace(/^\[|\]$/g, '') || undefined,
      port: url.port === '' ? undefined : Number(url.port),
      username: decodeURIComponent(url.username) || undefined,
      password: decodeURIComponent(url.password) || undefined,
      db: db === '' ? undefined : Number(db),
      family: family === null ? undefined : Number(family),
    }),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}
