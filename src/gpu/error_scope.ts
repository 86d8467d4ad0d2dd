/**
 * Error scopes of WebGPU. A device has one stack of them, so that an open scope also catches errors of other code that
 * runs meanwhile. They are therefore opened and closed here alone, around one synchronous call.
 */

/** An object of WebGPU, with the error of its creation. */
interface Scoped<T> {
  /** The object; WebGPU returns one even if it reports an error. */
  readonly made: T;
  /** Resolves to the first error, or to null. May be awaited at any time. */
  readonly error: Promise<GPUError | null>;
}

/**
 * Runs `make` in a validation scope of its own, which is closed before this returns.
 *
 * @param make Must not return a promise: its work after an `await` would be outside the scope.
 */
export function scoped<T>(
  device: GPUDevice,
  make: () => T extends PromiseLike<unknown> ? never : T,
): Scoped<T> {
  device.pushErrorScope("validation");
  let error: Promise<GPUError | null> | undefined;
  try {
    const made = make();
    error = device.popErrorScope();
    error.catch(() => {}); // rejects if the device is lost; may be awaited later
    return { made, error };
  } finally {
    if (!error) device.popErrorScope().catch(() => {}); // `make` has thrown
  }
}
