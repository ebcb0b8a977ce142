/**
 * Binds the methods of a handle to it, so that they work destructured and as callbacks. For objects that functions of
 * this package return. A class that the user constructs is left as it is.
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

/** The prototypes from the handle's own class up, so that an override comes before the overridden method. */
function* prototypesOf(handle: object): Generator<object> {
  let prototype: unknown = Object.getPrototypeOf(handle);
  while (typeof prototype === 'object' && prototype !== null && prototype !== Object.prototype) {
    yield prototype;
    prototype = Object.getPrototypeOf(prototype);
  }
}
