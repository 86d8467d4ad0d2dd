/**
 * The errors that kvbench raises on purpose. A message is one line: what is, what was wanted, what to do.
 * Everything else that is thrown is a defect.
 *
 * @module
 */

/** Something outside the program is wrong: a file, the adapter, the network. The CLI exits with code 1. */
export class KvbenchError extends Error {
  /** Which error this is. */
  override name = "KvbenchError";
}

/** The caller asked for something that can't be: a wrong option or argument. The CLI exits with code 2. */
export class UsageError extends KvbenchError {
  /** Which error this is. */
  override name = "UsageError";
}

/** What the runtime says went wrong, in one line. */
export function reasonOf(error: unknown): string {
  // fetch() says "fetch failed" and puts the reason into the innermost cause.
  let innermost = error;
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause;
  return String(innermost instanceof Error ? innermost.message : innermost).split("\n", 1)[0] ?? "";
}

/** There is no adapter, or it gives no device. */
export class NoAdapterError extends KvbenchError {
  /** Which error this is. */
  override name = "NoAdapterError";
}

/** The device is gone, and everything that was on it. */
export class DeviceLostError extends KvbenchError {
  /** Which error this is. */
  override name = "DeviceLostError";
}

/** The GPU has no memory left. */
export class OutOfMemoryError extends KvbenchError {
  /** Which error this is. */
  override name = "OutOfMemoryError";
}

/** A kernel does not compile. */
export class KernelError extends KvbenchError {
  /** Which error this is. */
  override name = "KernelError";
}

/** The model's logits are infinite or no numbers. */
export class NotFiniteError extends KvbenchError {
  /** Which error this is. */
  override name = "NotFiniteError";
}

/** The adapter computes something else than the references. */
export class WrongResultsError extends KvbenchError {
  /** Which error this is. */
  override name = "WrongResultsError";
}
