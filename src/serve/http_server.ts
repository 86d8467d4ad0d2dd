/**
 * HTTP/1.1 behind a {@linkcode Door}: `node:http` reads requests and writes answers, which are handled as the web's
 * `Request` and `Response`.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { KvbenchError } from "../base/errors.ts";
import { ApiError } from "./api_error.ts";
import type { Connection } from "./connection.ts";
import { Door, type DoorOptions } from "./door.ts";

/** The media type of server-sent events, which are sent as they come. All other answers are sent whole. */
export const EVENT_STREAM = "text/event-stream";

/** Answers a request, whose signal is aborted when its client has left. Never rejects. */
type Handler = (request: Request) => Promise<Response>;

/** Address and connection limits of a server. */
export interface HttpServerOptions extends DoorOptions {
  /** Address to listen at. */
  readonly hostname: string;
  /** Port to listen at; 0 for any. */
  readonly port: number;
  /** Called when the process can open no more files, with the connection limit from then on. */
  onLimit(maxConnections: number): void;
}

/**
 * Listens, and has every request handled.
 *
 * @returns The server's address, and its connections.
 * @throws {KvbenchError} If the address is not available.
 */
export function listen(
  handle: Handler,
  options: HttpServerOptions,
): { readonly url: string; readonly door: Door } {
  const { hostname, port, onLimit } = options;
  let listener: Deno.TcpListener;
  try {
    listener = Deno.listen({ hostname, port });
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new KvbenchError(`Cannot listen at ${hostname}:${port}: ${(error as Error).message}`);
  }
  const server = createServer({ keepAliveTimeout: 0 }); // connections have deadlines of their own
  // The door listens in its place; a server that does not listen ends each connection after one answer.
  Object.defineProperty(server, "listening", { value: true });
  const door = new Door(listener, options, {
    onConnection: (connection) => void server.emit("connection", connection),
    onLimit,
  });
  answer(server, door, handle);
  const { addr } = listener;
  const host = addr.hostname.includes(":") ? `[${addr.hostname}]` : addr.hostname;
  return { url: `http://${host}:${addr.port}`, door };
}

function answer(server: Server, door: Door, handle: Handler): void {
  server.on("request", (incoming, outgoing) => {
    const connection = incoming.socket as unknown as Connection; // as emitted above
    if (connection.isLeaving) return;
    door.begin(connection);
    outgoing.once("close", () => door.end(connection));
    void exchange(incoming, outgoing, { handle, isLast: () => door.closed });
  });
  server.on("clientError", (error: Error & { code?: string }, socket) => {
    const connection = socket as unknown as Connection;
    if (!error.code?.startsWith("HPE_")) return void connection.destroy(); // its client has left
    connection.refuse(
      error.code === "HPE_HEADER_OVERFLOW"
        ? new ApiError(431, "The request's headers are too large")
        : new ApiError(400, `The request is not valid HTTP: ${error.message}`),
    );
  });
}

/**
 * Has one request answered. Resolves when the answer is sent; also when its client has left, which cancels its body.
 *
 * @param isLast Tells, when the answer begins, whether the connection takes no further request.
 */
async function exchange(
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
  // The rest of an unread body is not worth reading, and Deno reads no request after an upgrade header.
  const reusable = incoming.complete && incoming.headers.upgrade === undefined;
  if (isLast() || !reusable) outgoing.setHeader("connection", "close");
  if (body !== null && headers.get("content-type") === EVENT_STREAM) {
    outgoing.flushHeaders(); // the first event may take a while
    const events = Readable.fromWeb(body as unknown as Parameters<typeof Readable.fromWeb>[0]);
    await pipeline(events, outgoing).catch(() => {}); // its client has left
  } else {
    const bytes = new Uint8Array(await response.arrayBuffer());
    outgoing.setHeader("content-length", bytes.length);
    outgoing.end(bytes);
  }
}

function requestOf(incoming: IncomingMessage, signal: AbortSignal): Request | ApiError {
  const { method = "GET", url = "/", headers: { host }, headersDistinct } = incoming;
  // Joined as text: as a relative URL, `//name/` would stand for another host.
  const address = url.startsWith("/") ? `http://${host}${url}` : url;
  try {
    const headers = new Headers();
    for (const [name, values = []] of Object.entries(headersDistinct)) {
      for (const value of values) headers.append(name, value);
    }
    // Cancelling this stream leaves the connection open, so that it can carry the answer.
    const body = method === "GET" || method === "HEAD"
      ? null
      : ReadableStream.from<Uint8Array<ArrayBuffer>>(incoming.iterator({ destroyOnReturn: false }));
    return new Request(address, { method, headers, body, signal });
  } catch {
    return new ApiError(400, `The request is not valid: ${method} ${url}`);
  }
}
