/**
 * The errors that kvbench raises on purpose. A message is one line: the fact, what is expected, the remedy. Any other
 * error is a defect.
 *
 * @module
 */

/** A fault outside the program: of a file, the adapter, the network. The CLI exits with code 1. */
export class KvbenchError extends Error {
  /** Name of the error. */
  override name = "KvbenchError";
}

/** A wrong option or argument. The CLI exits with code 2. */
export class UsageError extends KvbenchError {
  /** Name of the error. */
  override name = "UsageError";
}

/** Returns the runtime's reason for an error, in one line. */
export function reasonOf(error: unknown): string {
  // fetch() says "fetch failed"; the reason is in the innermost cause.
  let innermost = error;
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause;
  return String(innermost instanceof Error ? innermost.message : innermost).split("\n", 1)[0] ?? "";
}

/** A missing adapter, or an adapter that gives no device. */
export class NoAdapterError extends KvbenchError {
  /** Name of the error. */
  override name = "NoAdapterError";
}

/** A lost device, with everything that was on it. */
export class DeviceLostError extends KvbenchError {
  /** Name of the error. */
  override name = "DeviceLostError";
}

/** A lack of memory on the GPU. */
export class OutOfMemoryError extends KvbenchError {
  /** Name of the error. */
  override name = "OutOfMemoryError";
}

/** A kernel that does not compile. */
export class KernelError extends KvbenchError {
  /** Name of the error. */
  override name = "KernelError";
}

/** Logits that are infinite or NaN. */
export class NotFiniteError extends KvbenchError {
  /** Name of the error. */
  override name = "NotFiniteError";
}

/** Results of the adapter that differ from the references'. */
export class WrongResultsError extends KvbenchError {
  /** Name of the error. */
  override name = "WrongResultsError";
}
