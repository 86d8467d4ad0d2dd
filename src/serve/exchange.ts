/**
 * A request and its answer in `node:http`'s terms, handled in the web's: `Request` and `Response`.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ApiError } from "./api_error.ts";

/** The media type of server-sent events, which are sent as they come. Everything else is sent whole. */
export const EVENT_STREAM = "text/event-stream";

/** Answers a request, whose signal is aborted when its client has left. Never rejects. */
export type Handler = (request: Request) => Promise<Response>;

/**
 * Has a request answered. Resolves when the answer is sent, or its client has left, which cancels its body.
 *
 * @param isLast Whether the connection takes no request after this one, once the answer begins.
 */
export async function exchange(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { handle, isLast }: { readonly handle: Handler; readonly isLast: () => boolean },
): Promise<void> {
  const leaving = new AbortController();
  outgoing.once("close", () => leaving.abort());
  const request = requestOf(incoming, leaving.signal);
  const response = request instanceof ApiError ? request.response() : await handle(request);
  const { status, headers, body } = response;
  if (leaving.signal.aborted) return await body?.cancel();
  outgoing.statusCode = status;
  for (const [name, value] of headers) outgoing.setHeader(name, value);
  // What is left of a body is not worth reading, and behind a wish for another protocol Deno reads no more requests.
  const reusable = incoming.complete && incoming.headers.upgrade === undefined;
  if (isLast() || !reusable) outgoing.setHeader("connection", "close");
  if (body !== null && headers.get("content-type") === EVENT_STREAM) {
    outgoing.flushHeaders(); // its first event may take a while
    const events = Readable.fromWeb(body as unknown as Parameters<typeof Readable.fromWeb>[0]);
    await pipeline(events, outgoing).catch(() => {}); // its client has left
  } else {
    const bytes = new Uint8Array(await response.arrayBuffer());
    outgoing.setHeader("content-length", bytes.length);
    outgoing.end(bytes);
  }
}

function requestOf(incoming: IncomingMessage, signal: AbortSignal): Request | ApiError {
  const { method = "GET", url = "/", headers } = incoming;
  // Joined as text: as a relative URL, `//name/` would stand for another host.
  const address = url.startsWith("/") ? `http://${headers.host}${url}` : url;
  try {
    // Ending this stream leaves the connection open, so that there can be an answer.
    const body = method === "GET" || method === "HEAD"
      ? null
      : ReadableStream.from<Uint8Array<ArrayBuffer>>(incoming.iterator({ destroyOnReturn: false }));
    return new Request(address, { method, headers: headersOf(incoming), body, signal });
  } catch {
    return new ApiError(400, `The request is not valid: ${method} ${url}`);
  }
}

function headersOf({ headersDistinct }: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(headersDistinct)) {
    for (const value of values) headers.append(name, value);
  }
  return headers;
}
