/**
 * Error scopes of WebGPU. A device has one stack of them: a scope that is still open when other code runs catches that
 * code's errors too. So a scope is opened and closed here, around one synchronous call, and nowhere else.
 *
 * @module
 */

/** What was made, and what WebGPU says of it. */
export interface Scoped<T> {
  /** What was made; WebGPU makes something even where it reports an error. */
  readonly made: T;
  /** Resolves to the first error, or null. It may be awaited at any time. */
  readonly error: Promise<GPUError | null>;
}

/**
 * Runs `make` in a validation scope of its own, which is closed before this returns.
 *
 * @param make Must not return a promise: what it did after an `await` would be outside the scope.
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
    error.catch(() => {}); // rejects where the device is lost, and may be awaited later
    return { made, error };
  } finally {
    if (!error) device.popErrorScope().catch(() => {}); // `make` has thrown
  }
}
