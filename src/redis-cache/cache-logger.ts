/** What a cache tells of its Redis; the shape of pino and of `console`. */
export interface CacheLogger {
  warn(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
}
