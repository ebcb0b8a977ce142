import { check, describeSecret, isRecord, type OptionCheck } from './option-checks.ts';

/**
 * A secret that a header can carry: printable ASCII without spaces. Other text would be quoted in the error of the code
 * that makes the header.
 */
export const headerSafeSecret = (): OptionCheck =>
  check(
    'a non-empty string of printable ASCII without spaces',
    (value) => typeof value === 'string' && /^[\x21-\x7e]+$/.test(value),
    describeSecret,
  );

const isHttpUrl = (value: unknown): value is string =>
  typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);

/** An absolute http or https URL. Its value is not shown, because it may contain credentials. */
export const httpUrl = (): OptionCheck =>
  check('an http or https URL, with its https:// or http://', isHttpUrl, describeSecret);

/**
 * The URL that every request of a client starts with; its value is not shown. Credentials in it are refused, as `fetch`
 * does: an API key needs the same header, and addresses end up in logs.
 */
export const baseUrl = (): OptionCheck => (value, option) => {
  if (value === undefined) return [];
  if (!isHttpUrl(value)) return httpUrl()(value, option);
  const { username, password, hash } = new URL(value);
  const issue = (expected: string, got: string) => [{ option, expected, got }];
  if (username + password !== '') {
    return issue("a URL without credentials (pass headers: { authorization: 'Basic …' })", 'one with them (not shown)');
  }
  return hash === '' ? [] : issue('a URL without a fragment', 'one with it (not shown)');
};

/** Headers: names and values that HTTP allows (RFC 9110, section 5). Values are not shown. */
export const headerRecord = (): OptionCheck =>
  check(
    'a plain object of header names and values',
    (value) =>
      isRecord(value) &&
      Object.entries(value).every(
        ([name, entry]) =>
          /^[\w!#$%&'*+.^`|~-]+$/.test(name) && typeof entry === 'string' && /^[\t\x20-\x7e\x80-\xff]*$/.test(entry),
      ),
    describeSecret,
  );
