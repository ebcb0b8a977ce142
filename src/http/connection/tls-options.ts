import {
  boolean,
  check,
  describeSecret,
  nonEmptyText,
  type OptionCheck,
  type OptionChecks,
  shape,
} from '../../internal/options/option-checks.ts';

/** TLS of a connection: a custom authority, a client certificate. PEM texts. */
export interface TlsOptions {
  /** Authorities to trust instead of the system's. @defaultValue the system's */
  readonly ca?: string | readonly string[] | undefined;
  /** Client certificate chain. @defaultValue none */
  readonly cert?: string | undefined;
  /** Private key of the client certificate. @defaultValue none */
  readonly key?: string | undefined;
  /** Passphrase of `key`. @defaultValue none */
  readonly passphrase?: string | undefined;
  /** Name to ask for and to check. @defaultValue the URL's host */
  readonly servername?: string | undefined;
  /** `false` accepts any certificate: for tests only. @defaultValue true */
  readonly rejectUnauthorized?: boolean | undefined;
}

const pem = check(
  'PEM text (-----BEGIN …)',
  (value) => typeof value === 'string' && value.includes('-----BEGIN '),
  describeSecret,
);

const pemOrList: OptionCheck = (value, option) =>
  Array.isArray(value) ? value.flatMap((entry, index) => pem(entry, `${option}[${index}]`)) : pem(value, option);

export const TLS_SPEC = {
  ca: pemOrList,
  cert: pem,
  key: pem,
  passphrase: check('a string', (value) => typeof value === 'string', describeSecret),
  servername: nonEmptyText(),
  rejectUnauthorized: boolean(),
} satisfies OptionChecks<TlsOptions>;

export const tlsOptionsCheck: OptionCheck = shape(TLS_SPEC);
