/** Readbacks that are under way and must not outlive the buffers that they read. */

/** Readbacks under way, and the first one that failed. */
export class PendingReads {
  readonly #reads = new Set<Promise<unknown>>();
  #failure: { readonly error: unknown } | undefined;

  /** Remembers a readback, whether its reader waits for it or not, and returns it. */
  keep<T>(read: Promise<T>): Promise<T> {
    const kept = read.finally(() => this.#reads.delete(kept));
    kept.catch((error) => this.#failure ??= { error });
    this.#reads.add(kept);
    return read;
  }

  /**
   * Reports a readback that has failed by now.
   *
   * @throws {KvbenchError} The first failure.
   */
  assertNoneFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /**
   * Waits for all readbacks, and for others that read the same memory.
   *
   * @throws {KvbenchError} The first failure.
   */
  async settle(...others: readonly Promise<unknown>[]): Promise<void> {
    // All of them, whether one fails or not: what reads has a buffer.
    const all = await Promise.allSettled([...this.#reads, ...others]);
    this.assertNoneFailed();
    for (const each of all) if (each.status === "rejected") throw each.reason;
  }
}
