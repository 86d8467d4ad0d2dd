/**
 * Preloaded where Dawn is used, which asks for news of the GPU in a loop of `setImmediate`, with a new native function
 * each time: a loop that takes a whole core. In a test, Deno frees none of these functions (2.9.6: its queue of finalizers is not served there), so that a second
 * of compiling leaves gigabytes and minutes of collecting garbage. A timer's pause between two looks keeps them few.
 *
 * @module
 */
const look = (callback: () => void) => setTimeout(callback, 0);

Object.defineProperty(globalThis, "setImmediate", { value: look, configurable: true, writable: true });
