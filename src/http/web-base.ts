import { lazy } from '../internal/lazy.ts';

/** The types of undici declare methods and getters as fields, which no subclass may override. */
type Constructor<Arguments extends readonly unknown[]> = new (...values: Arguments) => object;

/**
 * Returns a class to extend instead of one of the web's, such as `Response`: instances are instances of both. Node loads
 * its own undici when a program first names such a class, which takes longer than importing this package. This happens
 * when the first instance is made.
 */
export function webBase<Arguments extends readonly unknown[]>(
  web: () => Constructor<Arguments>,
): Constructor<Arguments> {
  const inherited = lazy(() => {
    const base = web();
    Object.setPrototypeOf(WebBase.prototype, base.prototype);
    return base;
  });
  function WebBase(...values: Arguments): object {
    return Reflect.construct(inherited(), values, new.target ?? WebBase) as object;
  }
  return WebBase as unknown as Constructor<Arguments>;
}
