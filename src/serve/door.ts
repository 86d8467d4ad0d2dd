/**
 * Lets connections in, up to a limit, and survives a crowd. `Deno.serve` and the servers of `node:net` end, or go deaf,
 * where the process can open no more files; so connections are accepted here, one by one.
 *
 * A connection without a request under way makes room for a new one, the one that has waited longest first, but each may
 * wait for a moment: until then, new ones wait in the system's queue. Where all have requests under way, a new one is
 * refused with status 503. Where the process can open no more files, the limit is
 * lowered to what turned out to be possible.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { unavailable } from "./api_error.ts";
import { Connection, type Patience } from "./connection.ts";

/** How many connections there may be, and how long they may wait. */
export interface DoorOptions extends Patience {
  /** Connections at once. */
  readonly maxConnections: number;
}

/** What happens at the door. */
export interface DoorEvents {
  /** A connection was let in. */
  onConnection(connection: Connection): void;
  /** The process can open no more files, and the limit is lower from now on. */
  onLimit(maxConnections: number): void;
}

/** Refused connections that are told so at the same time; more wait in the system's queue. */
const MAX_REFUSALS = 8;
/** How long each of them may take to read it, in ms. */
const REFUSAL_MS = 250;
/** Files that are left to the rest of the process where it has turned out how many it can open. */
const SPARE_FILES = 16;
/** How long a connection may wait at least, in ms: as long as an honest client needs to send its headers. */
const LEAST_WAIT_MS = 250;
/** How long to wait where accepting fails, in ms. */
const PAUSE_MS = 100;

/** Accepts connections until it is closed. */
export class Door {
  readonly #listener: Deno.TcpListener;
  readonly #options: DoorOptions;
  readonly #events: DoorEvents;
  readonly #connections = new Set<Connection>();
  /** Those without a request under way, by how long they wait. */
  readonly #waiting = new Set<Connection>();
  readonly #refusals = new Set<Connection>();
  readonly #emptied = Promise.withResolvers<void>();
  #limit: number;
  #refused = 0;
  #closed = false;

  /** Accepts from now on. */
  constructor(listener: Deno.TcpListener, options: DoorOptions, events: DoorEvents) {
    this.#listener = listener;
    this.#options = options;
    this.#events = events;
    this.#limit = options.maxConnections;
    void this.#accept();
  }

  /** Connections that are open. */
  get nConnections(): number {
    return this.#connections.size;
  }

  /** Connections that were refused because of the limit. */
  get nRefused(): number {
    return this.#refused;
  }

  /** Whether nobody is let in any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Takes note that a request has come. */
  begin(connection: Connection): void {
    connection.beginRequest();
    this.#waiting.delete(connection);
  }

  /** Takes note that a request is over. */
  end(connection: Connection): void {
    connection.endRequest();
    if (!connection.isWaiting || !this.#connections.has(connection)) return;
    if (this.#closed) connection.destroySoon();
    else this.#waiting.add(connection);
  }

  /** Lets nobody in any more, and closes what waits. Resolves when the last connection has ended. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#listener.close();
      for (const connection of this.#waiting) connection.destroySoon();
      this.#settle();
    }
    return this.#emptied.promise;
  }

  /** Breaks off every connection. */
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
      await turn(); // a crowd must not keep others' bytes from being read
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
      // some systems refuse where its client has left, which shows when it is read
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
   * Closes connections that wait until there are so few, the one that has waited longest first, but each only when it
   * has waited long enough; false where too many are busy.
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
      await turn(); // when its socket is closed
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

/** Lets everything else that waits for this thread run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function isOutOfFiles(error: unknown): boolean {
  return ["EMFILE", "ENFILE"].includes((error as { code?: string }).code ?? "");
}
