/**
 * Accepts connections up to a limit, one by one, because `Deno.serve` and the servers of `node:net` end or stop accepting
 * when the process can open no more files.
 *
 * At the limit, the idle connection that has waited longest is closed for a new one, once it has waited for a moment;
 * until then, new ones wait in the system's queue. If all have requests under way, a new one is refused with status 503.
 * If the process can open no more files, the limit is lowered to the number that it could open.
 */
import { setImmediate } from "node:timers";
import { unavailable } from "./api_error.ts";
import { Connection, type Patience } from "./connection.ts";

/** Limits of the connections. */
export interface DoorOptions extends Patience {
  readonly maxConnections: number;
}

interface DoorEvents {
  /** A connection was accepted. */
  onConnection(connection: Connection): void;
  /** The process can open no more files, so the limit is lower from now on. */
  onLimit(maxConnections: number): void;
}

/** Most refusals that are being sent at once; further connections wait in the system's queue. */
const MAX_REFUSALS = 8;
/** Time for a client to read its refusal, in ms. */
const REFUSAL_MS = 250;
/** Files that a lowered limit leaves to the rest of the process. */
const SPARE_FILES = 16;
/** Time that an idle connection may wait at least, in ms: enough for a client to send its headers. */
const LEAST_WAIT_MS = 250;
/** Pause after a failure to accept, in ms. */
const PAUSE_MS = 100;

/** A listener's connections, accepted until it is closed. */
export class Door {
  readonly #listener: Deno.TcpListener;
  readonly #options: DoorOptions;
  readonly #events: DoorEvents;
  readonly #connections = new Set<Connection>();
  /** Connections without a request under way, longest waiting first. */
  readonly #waiting = new Set<Connection>();
  readonly #refusals = new Set<Connection>();
  readonly #emptied = Promise.withResolvers<void>();
  #limit: number;
  #refused = 0;
  #closed = false;

  constructor(listener: Deno.TcpListener, options: DoorOptions, events: DoorEvents) {
    this.#listener = listener;
    this.#options = options;
    this.#events = events;
    this.#limit = options.maxConnections;
    void this.#accept();
  }

  /** Number of open connections. */
  get nConnections(): number {
    return this.#connections.size;
  }

  /** Number of connections that were refused because of the limit. */
  get nRefused(): number {
    return this.#refused;
  }

  /** True once {@linkcode close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Notes that a request has come. */
  begin(connection: Connection): void {
    connection.beginRequest();
    this.#waiting.delete(connection);
  }

  /** Notes that a request is over. */
  end(connection: Connection): void {
    connection.endRequest();
    if (!connection.isWaiting || !this.#connections.has(connection)) return;
    if (this.#closed) connection.destroySoon();
    else this.#waiting.add(connection);
  }

  /** Stops accepting, and closes idle connections. Resolves when the last connection has ended. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#listener.close();
      for (const connection of this.#waiting) connection.destroySoon();
      this.#settle();
    }
    return this.#emptied.promise;
  }

  /** Closes every connection at once. */
  breakOff(): void {
    for (const connection of [...this.#connections, ...this.#refusals]) connection.destroy();
  }

  async #accept(): Promise<void> {
    while (!this.#closed) {
      let conn: Deno.TcpConn;
      try {
        conn = await this.#listener.accept();
      } catch (error) {
        if (this.#closed) return;
        if (isOutOfFiles(error)) await this.#lowerLimit();
        await pause(PAUSE_MS);
        continue;
      }
      const hasRoom = await this.#shrinkTo(this.#limit - 1);
      if (this.#closed) conn.close();
      else if (hasRoom) this.#take(conn);
      else await this.#refuse(conn);
      await turn(); // other connections are read between two accepts
    }
  }

  async #lowerLimit(): Promise<void> {
    const limit = Math.max(1, Math.min(this.#limit, this.#connections.size - SPARE_FILES));
    if (limit < this.#limit) this.#events.onLimit(limit);
    this.#limit = limit;
    await this.#shrinkTo(limit);
  }

  #take(conn: Deno.TcpConn): void {
    try {
      conn.setNoDelay(true);
    } catch {
      // some systems refuse after the client has left, which the next read notices
    }
    const connection = new Connection(conn, this.#options);
    this.#connections.add(connection);
    this.#waiting.add(connection);
    connection.once("close", () => {
      this.#forget(connection);
      this.#settle();
    });
    this.#events.onConnection(connection);
  }

  async #refuse(conn: Deno.TcpConn): Promise<void> {
    this.#refused++;
    const connection = new Connection(conn, this.#options);
    this.#refusals.add(connection);
    connection.once("close", () => this.#refusals.delete(connection));
    connection.refuse(unavailable(`${this.#limit} connections are served, which is the limit`), REFUSAL_MS);
    while (this.#refusals.size >= MAX_REFUSALS) await pause(REFUSAL_MS / 10);
  }

  /**
   * Closes idle connections until `size` are left, longest waiting first, each after {@linkcode LEAST_WAIT_MS}.
   *
   * @returns False if too many have requests under way.
   */
  async #shrinkTo(size: number): Promise<boolean> {
    while (!this.#closed && this.#connections.size > size) {
      const [oldest] = this.#waiting;
      if (oldest === undefined) return false;
      const left = LEAST_WAIT_MS - (performance.now() - oldest.waitingSinceMs);
      if (left > 0) {
        await pause(left);
        continue;
      }
      this.#forget(oldest);
      oldest.destroy();
      await turn(); // its socket is closed then
    }
    return true;
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection);
    this.#waiting.delete(connection);
  }

  #settle(): void {
    if (this.#closed && this.#connections.size === 0) this.#emptied.resolve();
  }
}

/** Lets pending work of this thread run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function isOutOfFiles(error: unknown): boolean {
  return ["EMFILE", "ENFILE"].includes((error as { code?: string }).code ?? "");
}
