/**
 * Gives a handle own copies of its methods that keep `this`, so that they work when they are taken apart from it or
 * passed on as callbacks. For what functions of this package hand out; a class that the user constructs is left as it
 * is.
 */
export function bindMethods<Handle extends object>(handle: Handle): Handle {
  for (const prototype of prototypesOf(handle)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (name === 'constructor' || typeof value !== 'function' || Object.hasOwn(handle, name)) continue;
      Object.defineProperty(handle, name, { value: value.bind(handle), writable: true, configurable: true });
    }
  }
  return handle;
}

/** From the handle's own class up, so that an override is found before what it overrides. */
function* prototypesOf(handle: object): Generator<object> {
  let prototype: unknown = Object.getPrototypeOf(handle);
  while (typeof prototype === 'object' && prototype !== null && prototype !== Object.prototype) {
    yield prototype;
    prototype = Object.getPrototypeOf(prototype);
  }
}
