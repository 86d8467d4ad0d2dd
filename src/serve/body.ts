/** Reading a request's body as JSON, up to a limit in bytes and in time. */
import { ApiError, requestTimeout, unavailable } from "./api_error.ts";

/** Limits of a request's body. */
export interface BodyLimits {
  readonly maxBodyBytes: number;
  /** Time for a body to come, in ms. */
  readonly bodyTimeoutMs: number;
}

/**
 * Reads a body.
 *
 * @param signal Ends the reading.
 * @throws {ApiError} If it is not JSON (400 or 415), too large (413) or too slow (408), or the signal is aborted (503).
 */
export async function readJson(request: Request, limits: BodyLimits, signal: AbortSignal): Promise<unknown> {
  // Browsers let a page of another origin send text without a preflight request, but not JSON.
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get("content-type") ?? "")) {
    throw new ApiError(
      415,
      "The body's type is not JSON: expected the header 'content-type: application/json'",
    );
  }
  const bytes = await readBytes(request, limits, signal);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new ApiError(400, `The body is not valid JSON: ${(error as Error).message}`);
  }
}

async function readBytes(
  request: Request,
  { maxBodyBytes, bodyTimeoutMs }: BodyLimits,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const tooLarge = () =>
    new ApiError(413, `The body is too large: expected at most ${maxBodyBytes} bytes`, {
      code: "request_too_large",
    });
  if (Number(request.headers.get("content-length")) > maxBodyBytes) throw tooLarge();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  let late = false;
  const giveUp = () => void reader.cancel().catch(() => {});
  const timer = setTimeout(() => {
    late = true;
    giveUp();
  }, bodyTimeoutMs);
  signal.addEventListener("abort", giveUp);
  if (signal.aborted) giveUp();
  try {
    for (let length = 0;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
      if (length > maxBodyBytes) throw tooLarge();
      chunks.push(value);
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError(400, "The body ended too early");
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
  }
  if (signal.aborted) throw unavailable("The server is shutting down");
  if (late) throw requestTimeout("body", bodyTimeoutMs);
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
