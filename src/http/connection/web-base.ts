import { lazy } from '../../internal/modules/lazy.ts';

/** The types of undici declare methods and getters as fields, which no subclass may override. */
type Constructor = new () => object;

/**
 * Returns a class to extend instead of one of the web's, such as `Response`: instances are instances of both. The web's
 * constructor is never run, for it takes longer than the rest of a small answer: a subclass overrides every member.
 * Node loads its own undici when a program first names such a class. This happens when the first instance is made.
 */
export function webBase(web: () => { readonly prototype: object }): Constructor {
  const inherit = lazy(() => Object.setPrototypeOf(WebBase.prototype, web().prototype) as object);
  function WebBase(): object {
    inherit();
    return Object.create((new.target ?? WebBase).prototype) as object;
  }
  return WebBase as unknown as Constructor;
}
