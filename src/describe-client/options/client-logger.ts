import { callSafely } from '../../internal/async/user-callback.ts';

/** A logger in the shape of pino; most others fit through a thin wrapper. */
export interface Logger {
  debug(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
  warn(fields: object, message?: string): void;
  error(fields: object, message?: string): void;
}

/** Wraps a logger so that what it throws never changes the outcome of a call. Without one, logs go nowhere. */
export function safeLogger(logger: Logger | undefined): Logger {
  const guard =
    (level: keyof Logger) =>
    (fields: object, message?: string): void => {
      if (logger !== undefined) callSafely(() => logger[level](fields, message), undefined);
    };
  return { debug: guard('debug'), info: guard('info'), warn: guard('warn'), error: guard('error') };
}
