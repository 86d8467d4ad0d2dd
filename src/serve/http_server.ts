/**
 * HTTP/1.1 behind a {@linkcode Door}: `node:http` reads requests and writes answers.
 *
 * @module
 */
import { createServer, type Server } from "node:http";
import { KvbenchError } from "../base/errors.ts";
import { ApiError } from "./api_error.ts";
import type { Connection } from "./connection.ts";
import { Door, type DoorOptions } from "./door.ts";
import { exchange, type Handler } from "./exchange.ts";

/** Where a server listens, and to whom. */
export interface HttpServerOptions extends DoorOptions {
  /** Address to listen at. */
  readonly hostname: string;
  /** Port to listen at; 0 for any. */
  readonly port: number;
  /** Called where the process can open no more files, with the limit from then on. */
  onLimit(maxConnections: number): void;
}

/** A server that listens. */
export interface HttpServer {
  /** Its address. */
  readonly url: string;
  /** Connections that come, wait or are answered. */
  readonly door: Door;
}

/**
 * Listens, and has every request handled.
 *
 * @throws {KvbenchError} If the address can't be had.
 */
export function listen(handle: Handler, options: HttpServerOptions): HttpServer {
  const { hostname, port, onLimit } = options;
  let listener: Deno.TcpListener;
  try {
    listener = Deno.listen({ hostname, port });
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new KvbenchError(`Cannot listen at ${hostname}:${port}: ${(error as Error).message}`);
  }
  const server = createServer({ keepAliveTimeout: 0 }); // connections have deadlines of their own
  // The door listens in its place; where nobody does, connections end after their first answer.
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
    const connection = incoming.socket as unknown as Connection; // what was emitted above
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
