/**
 * The errors that kvbench raises on purpose. A message is one line: the fact, what is expected, the remedy. Any other
 * error is a defect.
 */

/** A fault outside the program: of a file, the adapter, the network. The CLI exits with code 1. */
export class KvbenchError extends Error {
  /** Name of the error's class. */
  override name: string = this.constructor.name;
}

/** A wrong option or argument. The CLI exits with code 2. */
export class UsageError extends KvbenchError {}

/** A missing adapter, or an adapter that gives no device. */
export class NoAdapterError extends KvbenchError {}

/** A lost device, with everything that was on it. */
export class DeviceLostError extends KvbenchError {}

/** A lack of memory on the GPU. */
export class OutOfMemoryError extends KvbenchError {}

/** A kernel that does not compile. */
export class KernelError extends KvbenchError {}

/** Logits that are infinite or NaN. */
export class NotFiniteError extends KvbenchError {}

/** Results of the adapter that differ from the references'. */
export class WrongResultsError extends KvbenchError {}

/** Returns the runtime's reason for an error, in one line. */
export function reasonOf(error: unknown): string {
  // fetch() says "fetch failed"; the reason is in the innermost cause.
  let innermost = error;
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause;
  return String(innermost instanceof Error ? innermost.message : innermost).split("\n", 1)[0] ?? "";
}
